/** The inside of a callable process: answers what the test on the other end of the IPC channel asks for. */

import { inspect } from 'node:util'
import type { AnswerMessage, Callable, CallMessage } from './callable-process.ts'

/** Call it once, at the end of the program's file; the process ends with the one that started it. */
export function answerCalls<Functions extends Callable<Functions>>(functions: Functions): void {
  const table = new Map(Object.entries<(...args: never[]) => unknown>(functions))
  process.on('message', ({ id, name, args }: CallMessage) => {
    void answer(id, () => table.get(name)?.(...(args as never[])))
  })
  process.once('disconnect', () => process.exit(0))
  send('listening')
}

async function answer(id: number, run: () => unknown): Promise<void> {
  try {
    send({ id, value: await run() })
  } catch (error) {
    send({ id, error: inspect(error) })
  }
}

function send(message: AnswerMessage): void {
  process.send?.(message)
}
