/**
 * Ports that belong to one test process until it ends, also while nobody listens on them: a killed server wants its port
 * back, and the servers of other test files start at the same time. A claim is a file that names its owner.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** One per user: nobody can write into that of another. Between users, whoever binds a port first has it. */
export const directory: string = join(tmpdir(), `evenkeel-test-ports-${userInfo().uid}`)
const own = new Set<number>()

process.on('exit', () => {
  for (const port of own) rmSync(fileOf(port), { force: true })
})

/** True when the port is this process' own from now on; false when it was already, or is another's. */
export function claim(port: number): boolean {
  if (own.has(port)) return false
  mkdirSync(directory, { recursive: true })
  const owner = ownerOf(port)
  if (owner !== undefined && isAlive(owner)) return false
  rmSync(fileOf(port), { force: true })
  try {
    writeFileSync(fileOf(port), String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
  own.add(port)
  return true
}

function ownerOf(port: number): number | undefined {
  try {
    return Number(readFileSync(fileOf(port), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function fileOf(port: number): string {
  return join(directory, String(port))
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
