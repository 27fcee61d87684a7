/** Calling the listeners of the application: what they throw, or reject with, is told, and goes no further. */
import { channels } from '../telemetry/channels.ts'
import { describeError } from './faults.ts'

/** A listener that fails must end neither its neighbours, nor the link, nor the process. `what` names it in the notice. */
export function callListener(source: string, what: string, call: () => unknown): void {
  const tell = (error: unknown): void =>
    channels.notice.publish({ source, level: 'error', message: `${what} threw: ${describeError(error)}` })
  try {
    const outcome = call()
    // Nobody waits for an async function: its rejection would end the process.
    if (outcome instanceof Promise) outcome.catch(tell)
  } catch (error) {
    tell(error)
  }
}
