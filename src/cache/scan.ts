/**
 * Finds the keys of a pattern bit by bit, on every node that holds keys. Between two steps it pauses as long as the step took,
 * so that at most half of a server's time goes into it.
 */
import type { Clock } from '../clock.ts'
import type { RedisLink, Reply } from '../link/index.ts'
import { broadGlob, escapeGlob, globTest } from './glob.ts'
import type { KeyNames } from './keys.ts'

export interface Search {
  readonly link: RedisLink
  readonly clock: Clock
  readonly names: KeyNames
  /** The namespace's glob. */
  readonly pattern: string
  /** How long one command may take. */
  readonly deadlineMs: number
  /** Ends the search. */
  readonly signal?: AbortSignal
}

/** Keys that a step looks at: about half a millisecond of the server's time. */
const SCAN_COUNT = 500

/** The keys that match, a step at a time; a key may come twice. @throws LinkError when Redis fails on the way */
export async function* scan(search: Search): AsyncGenerator<readonly string[]> {
  const matches = globTest(search.pattern)
  for (const node of search.link.nodes) {
    let cursor = '0'
    do {
      if (search.signal?.aborted === true) return
      const startedAt = search.clock.now()
      const [next, found] = scanned(await node.send(scanOf(cursor, search), { deadlineMs: search.deadlineMs }))
      const keys = found.flatMap((name) => {
        const what = search.names.read(name)
        return what?.kind === 'entry' && matches(what.key) ? [what.key] : []
      })
      if (keys.length > 0) yield keys
      cursor = next
      if (cursor !== '0') await pause(search.clock, search.clock.now() - startedAt)
    } while (cursor !== '0')
  }
}

function scanOf(cursor: string, { names, pattern }: Search): readonly string[] {
  // A key that begins with a colon stands there with one more.
  const literal = pattern.startsWith(':') ? `:${pattern}` : pattern
  const match = escapeGlob(names.prefix) + broadGlob(literal)
  return ['SCAN', cursor, 'MATCH', match, 'COUNT', String(SCAN_COUNT)]
}

function scanned(reply: Reply): [cursor: string, names: readonly string[]] {
  const [cursor, names] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  return [String(cursor ?? '0'), Array.isArray(names) ? (names as readonly Reply[]).map(String) : []]
}

function pause(clock: Clock, forMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, Math.min(50, Math.ceil(forMs))))
}
