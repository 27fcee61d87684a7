/** `evenkeel doctor` about servers that belong together: replicas, sentinels, a cluster. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RedisCluster } from '../support/cluster.ts'
import { RedisServer } from '../support/redis-server.ts'
import { withSettings } from '../support/redis-states.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { eventually } from '../support/wait.ts'
import { assertCause, diagnosed, printedRules, type Examination } from './command-line.ts'

const REPLICATION = ['--only', 'replication']

function findingOf({ findings, note }: Examination, id: string): Examination['findings'][number] {
  const finding = findings.find(({ check }) => check === `replication.${id}`)
  assert.ok(finding !== undefined, note)
  return finding
}

async function inSync(replica: RedisServer): Promise<void> {
  await eventually('the replica is in sync', async () =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
  )
}

test('doctor asks every server of a group: a master without masterauth would not come back as a replica', async () => {
  await using master = await RedisServer.start({ args: ['--requirepass', 'secret-1'] })
  const args = [
    '--requirepass',
    'secret-1',
    '--masterauth',
    'secret-1',
    '--replicaof',
    '127.0.0.1',
    String(master.port),
  ]
  await using replica = await RedisServer.start({ args })
  await master.command('AUTH', 'secret-1')
  await replica.command('AUTH', 'secret-1')
  await inSync(replica)
  const url = master.url.replace('://', '://:secret-1@')
  const examination = await assertCause([...REPLICATION, url], {
    check: 'replication.master-password',
    evidence: /this server \(master\): requirepass set, masterauth none/,
    secrets: ['secret-1'],
  })
  assert.equal(findingOf(examination, 'link').state, 'ok')
  assert.equal(findingOf(examination, 'lag').state, 'ok')
  assert.equal(findingOf(examination, 'min-replicas').state, 'info')
  assert.equal(findingOf(examination, 'announced-addresses').state, 'ok')
})

test('doctor warns of a replica that takes writes, and of an announced address that leads nowhere', async () => {
  await using master = await RedisServer.start()
  const args = [
    '--replica-read-only',
    'no',
    '--replica-announce-port',
    '1',
    '--replicaof',
    '127.0.0.1',
    String(master.port),
  ]
  await using replica = await RedisServer.start({ args })
  await inSync(replica)
  const fromMaster = await diagnosed([...REPLICATION, master.url])
  assert.equal(findingOf(fromMaster, 'announced-addresses').state, 'warn')
  const fromReplica = await diagnosed([...REPLICATION, replica.url])
  assert.match(findingOf(fromReplica, 'replica-place').summary, /takes writes that will be lost/)
})

test('doctor asks every sentinel: quorum, number, place, state', async () => {
  await using trio = await SentinelTrio.start()
  await trio.settled()
  const places = trio.addresses.map(({ host, port }) => `${host}:${port}`).join(',')
  const args = [...REPLICATION, `redis+sentinel://${places}/mymaster`]
  const well = await diagnosed(args)
  for (const [id, state] of [
    ['quorum', 'ok'],
    ['sentinel-state', 'ok'],
    ['two-masters', 'ok'],
    ['min-replicas', 'warn'],
  ] as const)
    assert.equal(findingOf(well, id).state, state, well.note)
  assert.match(findingOf(well, 'sentinel-count').summary, /All sentinels are on one machine/)
  for (const sentinel of trio.sentinels.slice(1)) await sentinel.kill()
  await eventually('the last sentinel sees that it is alone', async () =>
    String(await trio.sentinels[0]?.command('SENTINEL', 'CKQUORUM', 'mymaster')).includes('NOQUORUM'),
  )
  await assertCause(args, { check: 'replication.quorum', evidence: /NOQUORUM/ })
})

test('doctor names slots of a cluster that nobody serves, and masters without a replica', async () => {
  const cluster = await RedisCluster.start()
  try {
    const [node] = cluster.nodes
    assert.ok(node !== undefined)
    const url = `redis+cluster://${node.host}:${node.port}`
    const whole = await diagnosed([...REPLICATION, url])
    assert.equal(findingOf(whole, 'cluster-slots').state, 'ok')
    assert.match(findingOf(whole, 'cluster-replicas').summary, /3 of 3 masters have no replica/)
    await cluster.unassign(7)
    await eventually('the cluster is down', async () =>
      String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:fail'),
    )
    const cause = { check: 'replication.cluster-slots', code: 'cluster-down', evidence: /1 slots are not served/ }
    await assertCause([...REPLICATION, url], cause)
  } finally {
    await cluster.stop()
  }
})

test('doctor judges every master of a cluster, and says which one it is about', async () => {
  const cluster = await RedisCluster.start()
  try {
    const [entry, second, third] = cluster.nodes
    assert.ok(entry !== undefined && second !== undefined && third !== undefined)
    await second.command('CONFIG', 'SET', 'tcp-keepalive', '0')
    for (const node of [second, third]) await node.command('CONFIG', 'SET', 'maxmemory', '64mb')
    const url = `redis+cluster://${entry.host}:${entry.port}`
    const { findings, note } = await diagnosed(['--only', 'traffic.keep-alive,memory.limit', url])
    const of = (check: string) => findings.filter((finding) => finding.check === check)
    const place = ({ host, port }: RedisServer): string => `${host}:${port}`
    const [keepAlive, ...more] = of('traffic.keep-alive')
    assert.deepEqual([keepAlive?.state, keepAlive?.evidence[0], more], ['warn', `node ${place(second)}`, []], note)
    assert.equal(of('memory.limit')[0]?.evidence[0], `node ${place(entry)}`, note)
    await third.kill()
    const { findings: still } = await diagnosed(['--only', 'traffic.keep-alive', url])
    assert.deepEqual([still.length, still[0]?.state], [1, 'warn'], 'one that is away changes nothing of the others')
  } finally {
    await cluster.stop()
  }
})

test('doctor --acl prints what is needed of a cluster and of a replica too', async () => {
  const rules = await printedRules()
  const users = async (servers: readonly RedisServer[]): Promise<void> => {
    for (const server of servers) await server.command('ACL', 'SETUSER', 'evenkeel-doctor', 'on', '>secret-1', ...rules)
  }
  const denied = async (url: string): Promise<void> => {
    const { findings, failed, note } = await diagnosed(['--skip', 'host', url], { secrets: ['secret-1'] })
    assert.equal(failed, null, note)
    assert.deepEqual(
      findings.filter(({ state }) => state === 'not-permitted'),
      [],
      note,
    )
  }
  const cluster = await RedisCluster.start()
  try {
    await users(cluster.nodes)
    await denied(
      `redis+cluster://evenkeel-doctor:secret-1@${cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    )
  } finally {
    await cluster.stop()
  }
  await using master = await RedisServer.start()
  await using replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
  await inSync(replica)
  await users([master, replica])
  await denied(replica.url.replace('://', '://evenkeel-doctor:secret-1@'))
  const replies = String(await replica.command('INFO', 'errorstats'))
  assert.doesNotMatch(replies, /NOPERM/)
})

test('doctor warns of a backlog that holds less than a minute of writes', async () => {
  await using master = await RedisServer.start()
  await using _ = await withSettings(master, { 'repl-backlog-size': '16384' })
  await using replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
  await inSync(replica)
  const writer = await master.connect()
  const writing = new AbortController()
  const written = (async () => {
    while (!writing.signal.aborted) await writer.command('SET', 'key', 'x'.repeat(1000))
  })()
  const { findings } = await diagnosed(['replication.backlog', master.url])
  assert.match(findings[0]?.summary ?? '', /^The backlog holds \d+ s of writes\.$/)
  writing.abort()
  await written
  writer.close()
})
