/**
 * Calling what users handed in where nobody awaits it: hooks and listeners. What they throw is told, and goes no further.
 */
import { channels } from '../telemetry/channels.ts'
import { withoutSecrets } from './classify.ts'

/** `what` names the code in the notice: "What should run after a commit". */
export function callSafely(source: string, what: string, call: () => void): void {
  try {
    call()
  } catch (error) {
    const text = withoutSecrets(error instanceof Error ? error.message : String(error))
    channels.notice.publish({ source, level: 'error', message: `${what} failed: ${text}` })
  }
}
