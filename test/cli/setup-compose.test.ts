/** The projects of `setup compose`, held against the schema of the compose specification and against what a right one has. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { requireProgram } from '../support/provision.ts'
import { evenkeel } from './command-line.ts'

const run = promisify(execFile)
const KINDS = [
  ['dev'],
  ['dev', '--separate'],
  ['single', '--role', 'cache'],
  ['single', '--separate'],
  ['sentinel'],
] as const

/** Debian's Compose 1.29, which has the schema of the compose specification in it and asks no daemon; or why there is none. */
const composer = await requireProgram('docker-compose').catch((error: unknown) => String(error))
const noComposer = composer.startsWith('/') ? false : composer

let folder: string
before(() => {
  folder = scratchDirectory('projects')
})
after(() => removeScratch(folder))

async function make(name: string, ...args: string[]): Promise<string> {
  const directory = join(folder, name)
  mkdirSync(directory, { recursive: true })
  const { code, stdout, stderr } = await evenkeel(['setup', 'compose', ...args, '--directory', directory, '--apply'])
  assert.equal(code, 0, stdout + stderr)
  for (const secret of secretsOf(directory)) assert.ok(!`${stdout}${stderr}`.includes(secret), 'shows a password')
  return directory
}

function secretsOf(directory: string): string[] {
  const names = readdirSync(join(directory, 'secrets')).filter((name) => !name.startsWith('.'))
  return names.map((name) => readFileSync(join(directory, 'secrets', name), 'utf8').trim())
}

for (const [index, args] of KINDS.entries())
  describe(`setup compose ${args.join(' ')}`, () => {
    let directory: string
    before(async () => {
      directory = await make(`project-${index}`, ...args)
    })

    test('it has what a right one has', () => {
      const text = readFileSync(join(directory, 'compose.yaml'), 'utf8')
      for (const secret of secretsOf(directory)) {
        assert.match(secret, /^[\w-]{43}$/)
        assert.ok(!text.includes(secret))
      }
      for (const name of readdirSync(join(directory, 'secrets')).filter((name) => !name.startsWith('.')))
        assert.equal(statSync(join(directory, 'secrets', name)).mode & 0o777, 0o600)
      assert.doesNotMatch(text, /^version:/m)
      const { services, volumes } = parse(text, { merge: true }) as Project
      for (const [name, service] of Object.entries(services)) assertService(name, service, Object.keys(volumes))
      assertMemory(directory, services)
    })

    test("the compose specification's schema holds", { skip: noComposer }, () => validate(directory, 'compose.yaml'))

    test('a second run has nothing to do, and undo leaves nothing but the passwords that volumes may need', async () => {
      const secrets = secretsOf(directory)
      const again = await evenkeel(['setup', 'compose', ...args, '--directory', directory, '--apply'])
      assert.match(again.stdout, /\nNothing to do\.\n$/)
      assert.deepEqual(secretsOf(directory), secrets)
      const { code, stdout } = await evenkeel(['setup', 'undo', '--directory', directory, '--apply'])
      assert.equal(code, 0)
      assert.match(stdout, /^kept, because it holds a password .*secrets\/redis_password$/m)
      assert.deepEqual(readdirSync(directory).toSorted(), ['.evenkeel', 'secrets'])
      assert.deepEqual(secretsOf(directory), secrets)
      // What was made with the old password is opened with it again.
      await make(`project-${index}`, ...args)
      assert.deepEqual(secretsOf(directory), secrets)
    })
  })

async function validate(directory: string, file: string): Promise<void> {
  await run(composer, ['-f', join(directory, file), 'config', '--quiet'])
}

test('the schema would find a fault in a generated file', { skip: noComposer }, async () => {
  const directory = await make('wrong', 'single')
  const text = readFileSync(join(directory, 'compose.yaml'), 'utf8')
  writeFileSync(join(directory, 'wrong.yaml'), text.replace('restart: unless-stopped', 'restarts: unless-stopped'))
  await assert.rejects(validate(directory, 'wrong.yaml'), /restarts/)
})

interface Service {
  readonly image: string
  readonly restart: string
  readonly healthcheck: { readonly test: readonly string[]; readonly start_period: string }
  readonly volumes: readonly string[]
  readonly ports?: readonly string[]
  readonly mem_limit: string
  readonly logging: object
  readonly stop_grace_period: string
}

interface Project {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: object
}

function assertService(name: string, service: Service, volumes: readonly string[]): void {
  assert.match(service.image, /:\d+(\.\d+)?$/, `${name} is pinned`)
  assert.equal(service.restart, 'unless-stopped', name)
  assert.ok(service.healthcheck.start_period && service.logging && service.stop_grace_period && service.mem_limit, name)
  for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name)
  const data = service.volumes.find((volume) => volume.includes(':/data') || volume.includes(':/var/lib/postgresql'))
  assert.ok(volumes.includes(data?.split(':')[0] ?? ''), `${name} keeps its data in a named volume`)
  const check = service.healthcheck.test.join(' ')
  assert.match(check, name === 'postgres' ? /pg_isready -q -h 127\.0\.0\.1/ : /timeout 3 redis-cli .*\| grep -qx PONG$/)
}

/** maxmemory of each configuration is a share of the limit of the service that mounts it. */
function assertMemory(directory: string, services: Project['services']): void {
  for (const [name, { mem_limit, volumes }] of Object.entries(services)) {
    const file = volumes.find((volume) => volume.endsWith('redis.conf:ro'))?.split(':')[0]
    if (file === undefined) continue
    const conf = readFileSync(join(directory, file), 'utf8')
    const maxmemory = Number(/^maxmemory (\d+)mb$/m.exec(conf)?.[1])
    const limit = Number(/^(\d+)m$/.exec(mem_limit)?.[1])
    assert.ok(maxmemory > 0.5 * limit && maxmemory <= 0.75 * limit, `${name}: ${maxmemory} of ${limit} MB`)
  }
}

test('setup compose does not stand in front of a compose file that is there', async () => {
  const directory = join(folder, 'taken')
  mkdirSync(directory)
  writeFileSync(join(directory, 'docker-compose.yml'), 'services: {}\n')
  const { code, stderr } = await evenkeel(['setup', 'compose', 'dev', '--directory', directory, '--apply'])
  assert.equal(code, 2)
  assert.match(stderr, /docker-compose\.yml already/)
  assert.ok(!existsSync(join(directory, 'compose.yaml')))
})
