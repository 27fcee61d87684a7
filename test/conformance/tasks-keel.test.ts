/** The tasks through the front door: options, health, metrics, log. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createEvenkeel, evenkeelOptionsFromEnvironment } from 'evenkeel'
import type { TaskContext } from 'evenkeel/tasks'
import { channels } from '../../src/telemetry/channels.ts'
import { scratchDirectory } from '../support/leash.ts'
import { eventually } from '../support/wait.ts'

test('tasks are in /metrics and /health, with what all processes wait for and what this one did', async () => {
  const keel = createEvenkeel({ database: { directory: join(scratchDirectory('keel'), 'data') }, logger: false })
  const tasks = keel.tasks({ add: { run: ([a, b]: [number, number]) => a + b } })
  keel.tasks({ other: { run: () => 0 } }, { queue: 'mail', worker: false })
  await keel.start()
  const { id, via } = await tasks.start('add', [1, 2])
  assert.equal(via, 'database')
  assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 3 })
  const text = await keel.metrics()
  for (const line of [
    'evenkeel_tasks_stored_total{queue="default"} 1',
    'evenkeel_tasks_stored_total{queue="mail"} 0',
    'evenkeel_tasks_ended_total{queue="default",outcome="done"} 1',
    'evenkeel_tasks_start_latency_seconds_bucket{le="+Inf",queue="default"} 1',
    'evenkeel_tasks_start_latency_seconds_count{queue="default"} 1',
    '# TYPE evenkeel_tasks_start_latency_seconds histogram',
  ])
    assert.ok(text.includes(line), `${line} in\n${text.match(/.*evenkeel_tasks.*/g)?.join('\n')}`)
  const { status, roles } = keel.health()
  assert.equal(status, 'healthy')
  assert.deepEqual([roles['tasks']?.['via'], roles['tasks']?.['working']], ['database', true])
  assert.equal(roles['tasks:mail']?.['working'], false)
  await keel.close()
})

test('/metrics counts hints that Redis did not take, leases that ran out, and ends that came too late', async () => {
  const directory = join(scratchDirectory('keel'), 'data')
  const keel = createEvenkeel({ redis: 'redis://127.0.0.1:1', database: { directory }, logger: false })
  const gate = Promise.withResolvers<string>()
  const run = (_: null, { attempt }: TaskContext): unknown => (attempt === 1 ? gate.promise : 'second')
  const tasks = keel.tasks({ work: { run } }, { sweepMs: 50 })
  await keel.start()
  const { id } = await tasks.start('work', null)
  await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
  const past = new Date(Date.now() - 60_000)
  await keel.database.query('UPDATE evenkeel_tasks SET lease_until = $2 WHERE id = $1', [id, past])
  assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 'second' })
  gate.resolve('first')
  const fenced = 'evenkeel_tasks_fenced_total{queue="default"} 1\n'
  const text = await eventually('the late end', async () => {
    const metrics = await keel.metrics()
    return metrics.includes(fenced) ? metrics : undefined
  })
  for (const name of ['lease_expired', 'lease_lost', 'hint_failed', 'stored'])
    assert.match(text, new RegExp(`^evenkeel_tasks_${name}_total{queue="default"} 1$`, 'm'))
  for (const name of ['hinted', 'abandoned'])
    assert.match(text, new RegExp(`^evenkeel_tasks_${name}_total{queue="default"} 0$`, 'm'))
  await keel.close()
})

test('ENABLE_BACKGROUND_TASKS=false is told once, with what becomes of the tasks, and each answer says it', async () => {
  const lines: string[] = []
  const warned: string[] = []
  const line = (_fields: object, message: string): void => void lines.push(message)
  const warn = (_fields: object, message: string): void => void warned.push(message)
  const keel = createEvenkeel({
    ...evenkeelOptionsFromEnvironment({ REDIS_URL: 'redis://127.0.0.1:1', ENABLE_BACKGROUND_TASKS: 'false' }),
    database: { directory: join(scratchDirectory('keel'), 'data') },
    logger: { info: line, warn, error: warn },
  })
  const tasks = keel.tasks({ executeOrder: { run: () => 'done' } })
  await keel.start()
  for (let n = 0; n < 3; n++) {
    const { via, reason } = await tasks.start('executeOrder', null)
    assert.equal(via, 'database')
    assert.match(reason ?? '', /ENABLE_BACKGROUND_TASKS=false/)
  }
  const told = lines.filter((text) => text.includes('will be processed by the scheduled sweep'))
  assert.deepEqual(told.length, 1)
  assert.match(told[0] ?? '', /ENABLE_BACKGROUND_TASKS=false/)
  assert.deepEqual(
    warned.filter((text) => text.includes('sweep')),
    [],
    'it was chosen',
  )
  await keel.close()
  assert.equal(channels.taskRoute.hasSubscribers, false)
})
