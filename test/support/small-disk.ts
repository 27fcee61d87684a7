/**
 * A disk of a few megabytes that can be full: seen by whoever is launched into it, and gone with the process that holds it.
 */
import type { ChildProcess } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { exited, removeScratch, spawnLeashed } from './leash.ts'
import { ownedScratch, ownerOfServers, type Owner } from './postgres-server.ts'
import { eventually } from './wait.ts'

export class SmallDisk implements AsyncDisposable {
  /** Where it is mounted; outside of it this is an empty directory. */
  readonly directory: string
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess, directory: string) {
    this.#holder = holder
    this.directory = directory
  }

  /** It belongs to whoever database servers run as. */
  static async start(megabytes: number): Promise<SmallDisk> {
    const owner = ownerOfServers()
    const directory = ownedScratch('disk', owner)
    const who = owner === undefined ? '' : `,uid=${owner.uid},gid=${owner.gid}`
    const script = `mount -t tmpfs -o size=${megabytes}m,mode=0700${who} tmpfs ${directory} && exec sleep infinity`
    const root = owner === undefined ? ['--map-root-user'] : []
    const holder = spawnLeashed('unshare', [...root, '--mount', 'sh', '-c', script], { stdio: 'ignore' })
    const outside = (await statfs(directory)).type
    const inside = `/proc/${holder.pid}/root${directory}`
    await eventually('the disk is there', async () => (await statfs(inside)).type !== outside)
    return new SmallDisk(holder, directory)
  }

  /** What a command has to begin with to see it, as this user. */
  launcher(owner: Owner | undefined): readonly string[] {
    const enter = ['nsenter', `--mount=/proc/${this.#holder.pid}/ns/mnt`]
    if (owner === undefined)
      return [...enter, `--user=/proc/${this.#holder.pid}/ns/user`, '--preserve-credentials', ...asOneself()]
    return [...enter, 'setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups']
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill('SIGKILL')
    await exited(this.#holder)
    removeScratch(this.directory)
  }
}

/** Whoever mounts must be root in a namespace of his own, and PostgreSQL does not run as root: one namespace further he is himself. */
function asOneself(): readonly string[] {
  return ['unshare', `--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`]
}
