/** A support archive of a made-up machine in which every file has a secret: none of them is in the archive. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { FakeClock } from '../../../../test/support/fake-clock.ts'
import { madeUpHost } from '../../../../test/support/made-up-host.ts'
import { OptionError } from '../../../errors.ts'
import { known } from '../../evidence.ts'
import { targetOfUrl } from '../../targets.ts'
import { Collection } from '../collection.ts'
import { SOURCES } from '../evidence/sources.ts'
import { writeArchive } from './archive.ts'
import { exhibitsOf } from './exhibits.ts'

const HASH = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7'
/** One for each place. */
const SECRETS = {
  url: 'url-secret-1',
  requirepass: 'conf secret 2',
  masterauth: 'conf-secret-3',
  user: 'acl-secret-4',
  env: 'env-secret-5',
  odd: 'odd-value-6',
  compose: 'compose-secret-7',
  log: 'log-secret-8',
  running: 'running-secret-9',
  renamed: 'renamed-10',
  environment: 'environment-11',
  short: 'q7z',
  hash: HASH,
}

const FILES = {
  '/etc/redis/redis.conf': `requirepass "${SECRETS.requirepass}"\nmasterauth ${SECRETS.masterauth}\nuser app on >${SECRETS.user} #${HASH} ~* +@all\nrename-command CONFIG ${SECRETS.renamed}\nlogfile /log\nport 7000\n`,
  '/log': `1:M 20 Nov 2026 12:00:00.000 * redis://app:${SECRETS.log}@h\n1:M 20 Nov 2026 12:00:00.000 * masterauth was ${SECRETS.masterauth}, requirepass ${SECRETS.requirepass}\n`,
  '.env': `REDIS_PASSWORD=${SECRETS.env}\nREDIS_HOST=redis\nREDIS_PORT=6379\nSEED=${SECRETS.odd}\nREDIS_URL=redis://:${SECRETS.short}@redis:6379/1?x=${SECRETS.odd}\n`,
  'compose.yaml': `services: { r: { image: redis, command: "redis-server --requirepass ${SECRETS.compose}", environment: { REDISCLI_AUTH: ${SECRETS.short} } } }\n`,
  '/lib/systemd/system/redis.service': `[Service]\nExecStart=/usr/bin/redis-server /etc/redis/redis.conf\nEnvironment=REDIS_PASSWORD=${SECRETS.env}\n`,
}

function collection(): Collection {
  const target = targetOfUrl(`redis://:${SECRETS.url}@127.0.0.1`, 'argument 1')
  assert.ok(target.kind === 'redis')
  const host = madeUpHost({ files: FILES, environment: { AWS_SECRET_ACCESS_KEY: SECRETS.environment } })
  const clock = new FakeClock()
  const config = new Map([
    ['requirepass', SECRETS.running],
    ['masterauth', SECRETS.short],
    ['port', '7000'],
  ])
  const info = new Map([
    ['redis_version', '7.0.15'],
    ['executable', `/x/${SECRETS.environment}`],
  ])
  const parts = {
    target,
    host,
    clock,
    hints: { redisConf: '/etc/redis/redis.conf' },
    endsAt: clock.now() + 1000,
    server: { ask: async () => known('') },
    serverAt: () => ({ ask: async () => known('') }),
  }
  const made = <Value>(value: Value) => ({ reads: 'made up', collect: async () => known(value) })
  const diagnosis = { kind: 'redis', place: '', source: '', served: true, ms: 0, layers: [] } as const
  return new Collection(parts, { ...SOURCES, diagnosis: made(diagnosis), info: made(info), config: made(config) })
}

test('a support archive has what is needed, and no secret', async () => {
  const { files: exhibits } = await exhibitsOf(collection())
  const text = exhibits.map((exhibit) => `${exhibit.path}\n${exhibit.text}`).join('\n')
  for (const [place, secret] of Object.entries(SECRETS))
    assert.ok(!text.includes(secret), `the secret of ${place} is in it`)
  const has = (path: string): string =>
    exhibits.find((exhibit) => exhibit.path === path)?.text ?? assert.fail(`no ${path}`)
  assert.match(
    has('host/etc/redis/redis.conf'),
    /^requirepass "\*\*\*"\nmasterauth \*\*\*\nuser app on >\*\*\* #\*\*\* ~\* \+@all\n/,
  )
  assert.match(has('host/etc/redis/redis.conf'), /port 7000/)
  assert.match(has('server/info.txt'), /redis_version 7\.0\.15/)
  assert.match(has('server/config.txt'), /requirepass \*\*\*\nmasterauth \*\*\*\nport 7000/)
  assert.equal(
    has('application/.env'),
    'REDIS_HOST=redis\nREDIS_PASSWORD=***\nREDIS_PORT=6379\nREDIS_URL=redis://***@redis:6379/1\nSEED=***\n',
  )
  assert.match(has('host/log'), /masterauth/)
  assert.match(has('host/unit.txt'), /ExecStart/)
  assert.deepEqual(JSON.parse(has('evidence/redisHere.json')), {
    kind: 'known',
    value: { by: 'told', detail: 'told by the command line' },
  })
})

test('writeArchive() makes a packed file for its owner alone, and never writes over one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-bundle-'))
  try {
    const path = join(directory, 'support.tar.gz')
    await writeArchive(path, [{ path: 'server/info.txt', text: 'ä' }], new Date(0))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const [entry] = await unpackTar(gunzipSync(readFileSync(path)))
    assert.equal(entry?.header.name, 'evenkeel-doctor/server/info.txt')
    assert.equal(new TextDecoder().decode(entry.data), 'ä')
    await assert.rejects(
      writeArchive(path, [], new Date(0)),
      (error) => error instanceof OptionError && /--bundle/.test(error.message),
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
})
