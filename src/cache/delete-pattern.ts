/** Deletes the keys of a pattern as they are found. */
import type { DeletePatternOptions } from './cache.ts'
import { scan, type Search } from './scan.ts'

export interface PatternSearch extends Search, Pick<DeletePatternOptions, 'onProgress'> {
  /** These were found and are about to be deleted in Redis. */
  readonly dropping: (keys: readonly string[]) => void
}

/** A single command may delete so many. */
const UNLINK_COUNT = 100

/** Returns how many keys were deleted. @throws LinkError when Redis fails on the way */
export async function deletePattern(search: PatternSearch): Promise<number> {
  let deleted = 0
  for await (const keys of scan(search)) {
    deleted += await drop(keys, search)
    search.onProgress?.(deleted)
  }
  return deleted
}

async function drop(keys: readonly string[], search: PatternSearch): Promise<number> {
  const { link, names, deadlineMs, dropping } = search
  dropping(keys)
  // Keys of a cluster are in many slots: one command each.
  const size = link.nodes[0] === link ? UNLINK_COUNT : 1
  const commands: string[][] = []
  for (let from = 0; from < keys.length; from += size)
    commands.push(['UNLINK', ...keys.slice(from, from + size).map((key) => names.entry(key))])
  const replies = await Promise.all(commands.map((command) => link.send(command, { deadlineMs })))
  return replies.reduce((sum: number, reply) => sum + Number(reply), 0)
}
