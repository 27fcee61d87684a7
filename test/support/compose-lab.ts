/**
 * Runs a compose project without a container engine: each service is a process in namespaces of its own, with the mounts,
 * secrets, environment and command that the file says, on this machine's own Redis instead of the image.
 *
 *     redis-1 ──┐
 *     redis-2 ──┤ bridge, 10.77.0.0/24; names in /etc/hosts, and only of services that run, as Docker's DNS does it
 *     app     ──┘
 */

import { execFile, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from './leash.ts'
import { eventually } from './wait.ts'

const run = promisify(execFile)

interface ServiceDefinition {
  readonly command: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck: { readonly test: readonly string[] }
}

/** The layers above lie in memory: they may not be on the disk below. */
const MEMORY = '/dev/shm'
/** As that of the image: gives up root before the server starts. */
const ENTRYPOINT = `#!/bin/sh
set -e
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis '{}' +
  exec setpriv --reuid redis --regid redis --clear-groups -- "$0" "$@"
fi
exec "$@"
`

export class ComposeLab {
  readonly #scratch = scratchDirectory('compose', MEMORY)
  readonly #definitions: Readonly<Record<string, ServiceDefinition>>
  readonly #directory: string
  readonly #namespaces = new Map<string, ChildProcess>()
  readonly #processes = new Map<string, ChildProcess>()

  private constructor(directory: string) {
    const file = parse(readFileSync(join(directory, 'compose.yaml'), 'utf8'), { merge: true }) as {
      readonly services: Record<string, ServiceDefinition>
    }
    this.#definitions = file.services
    this.#directory = directory
  }

  /** `undefined` where projects can be run, else why not. */
  static async unavailable(): Promise<string | undefined> {
    try {
      await run('unshare', ['--net', 'ip', 'link', 'add', 'type', 'veth'])
      return undefined
    } catch (error) {
      return `Running a compose project without Docker needs root on Linux with 'unshare', 'nsenter' and 'ip': ${String(error)}`
    }
  }

  /** The services of the project in `directory`, and a namespace `app` beside them. */
  static async start(directory: string, services?: readonly string[]): Promise<ComposeLab> {
    const lab = new ComposeLab(directory)
    try {
      const names = services ?? Object.keys(lab.#definitions)
      await lab.#wire(['app', ...names])
      for (const name of names) lab.up(name)
      return lab
    } catch (error) {
      await lab.stop()
      throw error
    }
  }

  /** Starts a service, for the first time or again, with what its volume holds. */
  up(name: string): void {
    const scratch = join(this.#scratch, name)
    for (const part of ['upper', 'work', 'root']) mkdirSync(join(scratch, part), { recursive: true })
    writeFileSync(join(scratch, 'start'), this.#script(name, scratch))
    const log = join(scratch, 'log')
    const words = [
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      `sh ${scratch}/start >> ${log} 2>&1`,
    ]
    this.#processes.set(name, spawnLeashed('nsenter', [this.#network(name), ...words], { stdio: 'ignore' }))
    this.#writeNames()
  }

  /** SIGKILL, as when the machine dies; its name is not resolved any more. */
  async kill(name: string): Promise<void> {
    const child = this.#processes.get(name)
    this.#processes.delete(name)
    this.#writeNames()
    if (child === undefined) return
    child.kill('SIGKILL')
    await exited(child)
  }

  /** Runs the health check of a service as the engine does; whether it passed. */
  async isHealthy(name: string): Promise<boolean> {
    const [kind = '', test = ''] = this.#definitions[name]?.healthcheck.test ?? []
    if (kind !== 'CMD-SHELL') throw new Error(`The health check of ${name} is no CMD-SHELL`)
    const answer = await this.exec(name, 'sh', '-c', test.replaceAll('$$', '$')).catch(() => undefined)
    return answer !== undefined
  }

  /** Runs a program inside of a service's container; its output. Rejects when it ends with anything but 0. */
  async exec(name: string, ...words: string[]): Promise<string> {
    const pid = this.#processes.get(name)?.pid ?? 0
    const child = (await run('ps', ['-o', 'pid=', '--ppid', String(pid)])).stdout.trim()
    const enter = ['--target', child, '--mount', '--net', '--pid', 'chroot', join(this.#scratch, name, 'root')]
    const { stdout } = await run('nsenter', [...enter, ...words])
    return stdout
  }

  /** What starts a process that sees the network and the names of the project, as an application in it. */
  get app(): readonly string[] {
    const script = `mount --bind ${this.#scratch}/hosts /etc/hosts && exec "$@"`
    return ['nsenter', this.#network('app'), 'unshare', '--mount', 'sh', '-c', script, 'sh']
  }

  /** Where the data of a volume lies. */
  volume(name: string): string {
    const directory = join(this.#scratch, 'volumes', name)
    mkdirSync(directory, { recursive: true })
    return directory
  }

  log(name: string): string {
    return readFileSync(join(this.#scratch, name, 'log'), 'utf8')
  }

  async stop(): Promise<void> {
    for (const name of [...this.#processes.keys()]) await this.kill(name)
    for (const holder of this.#namespaces.values()) {
      holder.kill('SIGKILL')
      await exited(holder)
    }
    removeScratch(this.#scratch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #network(name: string): string {
    return `--net=/proc/${this.#namespaces.get(name)?.pid}/ns/net`
  }

  /** One bridge, and a cable from it to each service. */
  async #wire(names: readonly string[]): Promise<void> {
    const bridge = await this.#hold('')
    const ip = async (name: string, ...args: string[]): Promise<void> => {
      await run('nsenter', [this.#network(name), 'ip', ...args])
    }
    await ip('', 'link', 'add', 'hub', 'type', 'bridge')
    await ip('', 'link', 'set', 'hub', 'up')
    for (const name of names) {
      await this.#hold(name)
      const end = `port-${this.#namespaces.size}`
      await ip(name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', end, 'netns', String(bridge.pid))
      await ip('', 'link', 'set', end, 'master', 'hub', 'up')
      await ip(name, 'address', 'add', `${this.#address(name)}/24`, 'dev', 'eth0')
      for (const link of ['lo', 'eth0']) await ip(name, 'link', 'set', link, 'up')
    }
    this.#writeNames()
  }

  async #hold(name: string): Promise<ChildProcess> {
    const holder = spawnLeashed('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
    this.#namespaces.set(name, holder)
    const ours = await readlink('/proc/self/ns/net')
    await eventually('the namespace is there', async () => (await readlink(`/proc/${holder.pid}/ns/net`)) !== ours)
    return holder
  }

  #address(name: string): string {
    return `10.77.0.${10 + [...this.#namespaces.keys()].indexOf(name)}`
  }

  /** In place: the file is mounted. */
  #writeNames(): void {
    const names = [...this.#processes.keys()].map((name) => `${this.#address(name)} ${name}`)
    writeFileSync(join(this.#scratch, 'hosts'), ['127.0.0.1 localhost', ...names, ''].join('\n'))
  }

  /** What a container engine does before it runs the command. */
  #script(name: string, scratch: string): string {
    const definition = this.#definitions[name]
    if (definition === undefined) throw new Error(`There is no service ${name}`)
    const root = join(scratch, 'root')
    const { volumes = [], secrets = [], tmpfs = [], environment = {}, command } = definition
    const mounts = [
      ...volumes.map((volume) => this.#mountOf(volume)),
      ...secrets.map((secret) => [join(this.#directory, 'secrets', secret), `/run/secrets/${secret}`] as const),
      [join(this.#scratch, 'hosts'), '/etc/hosts'] as const,
    ]
    const variables = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`)
    return [
      'set -e',
      `mount -t overlay container -o lowerdir=/,upperdir=${scratch}/upper,workdir=${scratch}/work ${root}`,
      `mount -t proc proc ${root}/proc`,
      `mount --bind /dev ${root}/dev`,
      ...['/run/secrets', '/etc/redis'].map((path) => `mkdir -p ${root}${path} && mount -t tmpfs tmpfs ${root}${path}`),
      ...tmpfs.map((path) => `mkdir -p ${root}${path} && mount -t tmpfs tmpfs ${root}${path}`),
      ...mounts.map(
        ([from, to]) =>
          `mkdir -p $(dirname ${root}${to}); [ -d ${from} ] && mkdir -p ${root}${to} || touch ${root}${to}; mount --bind ${from} ${root}${to}`,
      ),
      `cat > ${root}/usr/local/bin/docker-entrypoint.sh << 'END'\n${ENTRYPOINT}END`,
      `chmod 755 ${root}/usr/local/bin/docker-entrypoint.sh`,
      // Process 1 stays root and waits: when it is killed, everything in here is.
      `chroot ${root} env -i PATH=/usr/local/bin:/usr/bin:/bin ${variables.join(' ')} sh -c 'cd /data && exec "$@"' sh ${command.join(' ')} &`,
      'wait',
    ].join('\n')
  }

  #mountOf(volume: string): readonly [string, string] {
    const [from = '', to = ''] = volume.split(':')
    return from.startsWith('./') ? [join(this.#directory, from), to] : [this.volume(from), to]
  }
}
