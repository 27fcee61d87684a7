/** One contender in a process of its own: what ends it ends nothing else, and is seen. No rejection is caught that it lets escape. */
import { answerCalls } from '../../test/support/answer-calls.ts'
import type { Operation, Setting } from './adapter.ts'
import { contenderNamed } from './contenders.ts'

/** How one call ended: `hung` has had no end within the cap. */
export interface Wait {
  readonly ms: number
  readonly end: 'ok' | 'error' | 'hung'
}

export interface ContenderFunctions {
  open(title: string, setting: Setting): Promise<void>
  /** Rejects never; a call that has hung is left alone. */
  call(capMs: number): Promise<Wait>
}

let operation: Operation | undefined
let calls = 0

async function call(capMs: number): Promise<Wait> {
  const startedAt = performance.now()
  const limit = Promise.withResolvers<Wait['end']>()
  const timer = setTimeout(() => limit.resolve('hung'), capMs)
  const end = await Promise.race([limit.promise, endOf((calls += 1))])
  clearTimeout(timer)
  return { ms: performance.now() - startedAt, end }
}

async function endOf(n: number): Promise<Wait['end']> {
  try {
    await operation?.(n)
    return 'ok'
  } catch {
    // What kind of error it is is another question than this table's.
    return 'error'
  }
}

answerCalls<ContenderFunctions>({
  async open(title, setting) {
    operation = await contenderNamed(title).open(setting)
  },
  call,
})
