/** Reads logs for signs of trouble, and prints what they tell. */
import { readLog, readLogStream, type LogSummary } from '../operate/index.ts'
import { fails, logsAsJson, logsAsNote } from './doctor-log-text.ts'
import { ending, painter } from './terminal.ts'

const NOTHING_FAILS = 0
const FAILS = 1

/**
 * Returns the exit code. `-` is standard input.
 * @throws OptionError when a log cannot be read
 */
export async function runDoctorLog(paths: readonly string[], { json }: { readonly json: boolean }): Promise<number> {
  const logs: LogSummary[] = []
  for (const path of paths)
    logs.push(path === '-' ? await readLogStream(process.stdin, 'standard input') : await readLog(path))
  const text = json ? logsAsJson(logs) : logsAsNote(logs, painter(process.stdout))
  return await ending(text, logs.some(fails) ? FAILS : NOTHING_FAILS)
}
