/** Colours, and how a command ends. */
import { styleText } from 'node:util'

/** Gives a text its colour; plain where the stream is no terminal, or NO_COLOR is set. */
export type Paint = (tone: keyof typeof TONES, text: string) => string

const TONES = { ok: 'green', warning: 'yellow', failed: 'red', info: 'cyan', dim: 'dim', strong: 'bold' } as const

export function painter(stream: NodeJS.WriteStream): Paint {
  return (tone, text) => styleText(TONES[tone], text, { stream })
}

/**
 * Prints the last words and ends the process: a question to a name server, or a peer that does not close, would keep it
 * alive beyond its budget.
 */
export async function ending(text: string, code: number): Promise<never> {
  // A reader that has gone, as in `| head -1`, changes nothing about what was found.
  process.stdout.on('error', () => process.exit(code))
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  return process.exit(code)
}
