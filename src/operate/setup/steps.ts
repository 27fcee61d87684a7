/** Runs one program of a plan. */
import type { Host } from '../host.ts'

/** A restart waits for Redis to save what it holds. */
const TIMEOUT_MS = 120_000

/** Undefined when it went well, else what it said. */
export async function runStep(host: Host, args: readonly string[]): Promise<string | undefined> {
  const [program = '', ...rest] = args
  const result = await host.run(program, rest, { timeoutMs: TIMEOUT_MS })
  if (result.kind !== 'known') return `${args.join(' ')}: ${result.detail}`
  const { code, stdout, stderr } = result.value
  if (code === 0) return undefined
  const words = (stderr.trim() || stdout.trim()).replaceAll(/\s+/g, ' ')
  return `${args.join(' ')} ended with ${code}${words === '' ? '' : `: ${words}`}`
}
