/**
 * A machine of its own that really boots: systemd as process 1, its own network, its own kernel settings for it. Its disk is
 * this machine's with a layer above, so it has the same programs, and whatever it changes is gone with it.
 *
 *     this machine's /  (never written)
 *          ▲ overlay ── the layer, in memory ──▶ systemd-nspawn: sysctl, units, Redis, as after switching it on
 */

import { execFile, type ChildProcess } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from './leash.ts'
import { requireProgram } from './provision.ts'
import { eventually } from './wait.ts'

const run = promisify(execFile)

export interface MachineOptions {
  /** Units that a boot starts; everything else that this machine has enabled stays out. */
  readonly units: readonly string[]
}

const CHECKOUT = join(import.meta.dirname, '../..')
const BOOTS_WITHIN_MS = 60_000
/** The layer above lies in memory: it may not be on the disk below it. */
const MEMORY = '/dev/shm'
const CONTROL_GROUPS = '/sys/fs/cgroup'
const WANTED = '/etc/systemd/system/multi-user.target.wants'

export class Machine {
  /** Below it is the machine's disk, for processes that `holder` starts. */
  readonly root: string
  readonly #scratch: string
  readonly #name: string
  readonly #holder: ChildProcess
  #booted: ChildProcess | undefined
  #console = ''

  private constructor(scratch: string, holder: ChildProcess) {
    this.#scratch = scratch
    this.#name = `evenkeel-${process.pid}-${basename(scratch).split('-').at(-1)}`
    this.root = join(scratch, 'root')
    this.#holder = holder
  }

  /** `undefined` where machines can be booted, else why not. */
  static async unavailable(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'Booting a machine needs root on Linux.'
    if (!existsSync('/lib/systemd/systemd')) return 'Booting a machine needs systemd to be installed.'
    try {
      await access(MEMORY)
      await requireProgram('systemd-nspawn')
      await using probe = await Machine.create({ units: [] })
      await probe.boot()
      return undefined
    } catch (error) {
      return `No machine can be booted here: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Switched off, so that files can be put on its disk. */
  static async create({ units }: MachineOptions): Promise<Machine> {
    sweepControlGroups()
    const scratch = scratchDirectory('machine', MEMORY)
    for (const name of ['upper', 'work', 'root']) mkdirSync(join(scratch, name))
    const layers = `lowerdir=/,upperdir=${scratch}/upper,workdir=${scratch}/work`
    const script = `mount -t overlay machine -o ${layers} ${scratch}/root && echo mounted && exec sleep infinity`
    // In a mount namespace of its own: when the test is killed, the mount goes with the process.
    const holder = spawnLeashed('unshare', ['--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const machine = new Machine(scratch, holder)
    try {
      await machine.#mounted()
      await machine.shell(`cd ${machine.root}${WANTED} && rm -f * && rm -rf ../timers.target.wants`)
      for (const unit of units)
        await machine.shell(`ln -s /lib/systemd/system/${unit} ${machine.root}${WANTED}/${unit}`)
      return machine
    } catch (error) {
      await machine.stop()
      throw error
    }
  }

  /** What starts a process that sees the machine's disk below `root`, whether it is on or off. */
  get holder(): readonly string[] {
    return ['nsenter', `--mount=/proc/${this.#holder.pid}/ns/mnt`]
  }

  /** What starts a process inside the running machine. */
  get inside(): readonly string[] {
    return ['nsenter', '--target', String(this.#leader()), '--all', '--root', '--wd']
  }

  /** Writes a file to its disk; for machines that are switched off. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.#scratch, 'file')
    writeFileSync(file, text)
    await this.shell(`mkdir -p ${this.root}${dirname(path)} && cat ${file} > ${this.root}${path}`)
  }

  /** A shell command that sees its disk below `root`. */
  async shell(command: string): Promise<string> {
    return await this.#run([...this.holder, 'sh', '-c', command])
  }

  /** A command inside; the output of both streams, whatever it ended with. */
  async command(...words: string[]): Promise<string> {
    return await this.#run([...this.inside, ...words]).catch((error: { stdout?: string; stderr?: string }) => {
      return `${error.stdout ?? ''}${error.stderr ?? ''}`
    })
  }

  /** Switches it on; one that runs is switched off before. Resolves once systemd runs, long before every unit has started. */
  async boot(): Promise<void> {
    await this.off()
    const options = ['--quiet', '--private-network', '--register=no', '--keep-unit', '--console=pipe', '--boot']
    // A machine has its own /tmp, and this checkout may stand there.
    const nspawn = ['systemd-nspawn', '-D', this.root, '-M', this.#name, `--bind-ro=${CHECKOUT}`, ...options]
    // A machine outlives the systemd-nspawn that is killed; in a process namespace around both it does not.
    const together = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
    const words = [...this.holder, ...together, 'sh', '-c', ownControlGroups(this.#name), 'sh', ...nspawn]
    const [program = '', ...args] = words
    this.#console = ''
    this.#booted = spawnLeashed(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#booted.stdout, this.#booted.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#console += text))
    await eventually(
      'systemd to answer',
      async () => (await this.command('systemctl', 'show', '-p', 'NFailedUnits')).startsWith('NFailedUnits='),
      {
        timeoutMs: BOOTS_WITHIN_MS,
      },
    ).catch((error: unknown) => {
      throw new Error(`The machine does not boot. Its console:\n${this.#console}`, { cause: error })
    })
  }

  /** Switches it off as one pulls the plug; the disk stays. */
  async off(): Promise<void> {
    const booted = this.#booted
    this.#booted = undefined
    if (booted === undefined) return
    booted.kill('SIGKILL')
    await exited(booted)
    await eventually('its control groups to go', () => removeControlGroups(this.#name))
  }

  async stop(): Promise<void> {
    await this.off()
    this.#holder.kill('SIGKILL')
    await exited(this.#holder)
    removeScratch(this.#scratch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Process 1 of the machine, as this machine counts. */
  #leader(): number {
    const nspawn = childrenOf(this.#booted?.pid).find(({ name }) => name === 'systemd-nspawn')
    // It has other children, for a moment, while it builds the machine.
    const child = childrenOf(nspawn?.pid).find(({ name }) => name === 'systemd')
    if (child === undefined) throw new Error(`The machine is off. Its console:\n${this.#console}`)
    return child.pid
  }

  async #mounted(): Promise<void> {
    const said: string[] = []
    for (const stream of [this.#holder.stdout, this.#holder.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => said.push(text))
    await eventually('the disk to be mounted', () => said.length > 0 || this.#holder.exitCode !== null)
    if (!said.join('').includes('mounted')) throw new Error(`The disk cannot be layered: ${said.join('')}`)
  }

  async #run(words: readonly string[]): Promise<string> {
    const [program = '', ...args] = words
    const { stdout, stderr } = await run(program, args)
    return `${stdout}${stderr}`
  }
}

/**
 * A systemd owns the tree of groups that it finds itself in: two machines in one tree would end each other's services.
 * Some hierarchies of the old kind take nobody in; those are of no use to it.
 */
function ownControlGroups(name: string): string {
  const join = `mkdir -p "$tree/${name}" && echo $$ > "$tree/${name}/cgroup.procs" || true`
  return `for tree in ${CONTROL_GROUPS} ${CONTROL_GROUPS}/*; do [ -e "$tree/cgroup.procs" ] && { ${join}; }; done 2>/dev/null; exec "$@"`
}

/** What tests left that were killed: groups without anybody in them. */
function sweepControlGroups(): void {
  const names = globSync([`${CONTROL_GROUPS}/evenkeel-*`, `${CONTROL_GROUPS}/*/evenkeel-*`]).map((path) =>
    basename(path),
  )
  for (const name of new Set(names)) if (!existsSync(`/proc/${name.split('-')[1]}`)) removeControlGroups(name)
}

/** From the deepest; whether all of them are gone. */
function removeControlGroups(name: string): boolean {
  const groups = globSync([`${CONTROL_GROUPS}/${name}`, `${CONTROL_GROUPS}/*/${name}`])
  const all = groups.flatMap((group) => [group, ...globSync(`${group}/**/`)])
  for (const group of all.toSorted((a, b) => b.length - a.length)) {
    try {
      rmdirSync(group)
    } catch (error) {
      // Its last process is still on its way out.
      if (error instanceof Error && 'code' in error && (error.code === 'EBUSY' || error.code === 'ENOENT')) continue
      throw error
    }
  }
  return groups.every((group) => !existsSync(group))
}

interface Process {
  readonly pid: number
  readonly name: string
}

function childrenOf(parent: number | undefined): readonly Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid): Process[] => {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(statOf(pid)) ?? []
    return Number(rest.split(' ')[1]) === parent ? [{ pid: Number(pid), name }] : []
  })
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    // It has ended meanwhile.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return ''
    throw error
  }
}
