/**
 * Nothing that a test starts outlives the test: processes and temporary directories go when the test process goes.
 */

import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const running = new Set<ChildProcess>()
const directories = new Set<string>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

/**
 * util-linux's `setpriv` becomes the program (same pid) and asks the kernel to kill it when this process dies, which
 * covers the deaths that run no exit handler: SIGKILL, a crash, Ctrl-C.
 */
const SETPRIV = '/usr/bin/setpriv'
const leash = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : []

/** Starts a program that dies with this process, frozen or not. */
export function spawnLeashed(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [file = program, ...rest] = [...leash, program, ...args]
  const child = spawn(file, rest, options)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Resolves once the process is gone, at once when it already is. */
export async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => child.once('exit', resolve))
}

/** A new directory of one's own, removed at exit when not before. */
export function scratchDirectory(name: string, parent = tmpdir()): string {
  if (directories.size === 0 || parent !== tmpdir()) sweepLeftovers(parent)
  const directory = mkdtempSync(join(parent, `evenkeel-test-${process.pid}-${name}-`))
  directories.add(directory)
  return directory
}

export function removeScratch(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  directories.delete(directory)
}

/** What earlier runs left that had no chance to clean up. The name carries the pid of the owner. */
function sweepLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = /^evenkeel-test-(\d+)-/.exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
