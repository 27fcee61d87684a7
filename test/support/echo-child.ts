/** The other end of callable-process.test.ts. */
import { answerCalls } from './answer-calls.ts'

export interface EchoFunctions {
  add(one: number, other: number): Promise<number>
  fail(text: string): void
  end(): void
  never(): Promise<void>
}

answerCalls<EchoFunctions>({
  add: (one, other) => Promise.resolve(one + other),
  fail: (text) => {
    throw new Error(text)
  },
  end: () => process.exit(3),
  never: () => new Promise(() => {}),
})
