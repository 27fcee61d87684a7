/**
 * Finds the keys of a pattern bit by bit and deletes them, on every node that holds keys. Between two steps it pauses as long as
 * the step took, so that at most half of a server's time goes into it.
 */
import type { Clock } from '../clock.ts'
import type { RedisLink, Reply } from '../link/index.ts'
import type { DeletePatternOptions } from './cache.ts'
import { broadGlob, escapeGlob, globTest } from './glob.ts'
import type { KeyNames } from './keys.ts'

export interface PatternSearch extends DeletePatternOptions {
  readonly link: RedisLink
  readonly clock: Clock
  readonly names: KeyNames
  /** The namespace's glob. */
  readonly pattern: string
  /** How long one command may take. */
  readonly deadlineMs: number
  /** These were found and are about to be deleted in Redis. */
  readonly dropping: (keys: readonly string[]) => void
}

/** Keys that a step looks at: about half a millisecond of the server's time. */
const SCAN_COUNT = 500
/** A single command may delete so many. */
const UNLINK_COUNT = 100

/** Returns how many keys were deleted. @throws LinkError when Redis fails on the way */
export async function deletePattern(search: PatternSearch): Promise<number> {
  const progress = { deleted: 0 }
  const matches = globTest(search.pattern)
  for (const node of search.link.nodes) {
    let cursor = '0'
    do {
      if (search.signal?.aborted === true) return progress.deleted
      const startedAt = search.clock.now()
      const [next, found] = scanned(await node.send(scanOf(cursor, search), { deadlineMs: search.deadlineMs }))
      const keys = found.flatMap((name) => {
        const what = search.names.read(name)
        return what?.kind === 'entry' && matches(what.key) ? [what.key] : []
      })
      await drop(keys, search, progress)
      cursor = next
      await pause(search.clock, search.clock.now() - startedAt)
    } while (cursor !== '0')
  }
  return progress.deleted
}

function scanOf(cursor: string, { names, pattern }: PatternSearch): readonly string[] {
  // A key that begins with a colon stands there with one more.
  const literal = pattern.startsWith(':') ? `:${pattern}` : pattern
  const match = escapeGlob(names.prefix) + broadGlob(literal)
  return ['SCAN', cursor, 'MATCH', match, 'COUNT', String(SCAN_COUNT)]
}

function scanned(reply: Reply): [cursor: string, names: readonly string[]] {
  const [cursor, names] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  return [String(cursor ?? '0'), Array.isArray(names) ? (names as readonly Reply[]).map(String) : []]
}

async function drop(keys: readonly string[], search: PatternSearch, progress: { deleted: number }): Promise<void> {
  if (keys.length === 0) return
  const { link, names, deadlineMs, dropping, onProgress } = search
  dropping(keys)
  // Keys of a cluster are in many slots: one command each.
  const size = link.nodes[0] === link ? UNLINK_COUNT : 1
  const commands: string[][] = []
  for (let from = 0; from < keys.length; from += size)
    commands.push(['UNLINK', ...keys.slice(from, from + size).map((key) => names.entry(key))])
  const replies = await Promise.all(commands.map((command) => link.send(command, { deadlineMs })))
  progress.deleted += replies.reduce((sum: number, reply) => sum + Number(reply), 0)
  onProgress?.(progress.deleted)
}

function pause(clock: Clock, forMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, Math.min(50, Math.ceil(forMs))))
}
