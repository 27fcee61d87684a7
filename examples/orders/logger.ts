/** Lines for people on a terminal, JSON for machines everywhere else. */
import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'

export function createLogger(level: string, instance: string): Logger {
  const options = {
    level,
    base: { instance },
    // Words instead of numbers, so that `grep -i error` finds errors.
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  }
  if (!process.stdout.isTTY) return pino(options)
  // The sentence says it all; the fields are for machines. A stack trace is shown.
  const layout = { sync: true, hideObject: true, errorLikeObjectKeys: ['err'], translateTime: 'SYS:HH:MM:ss.l' }
  return pino(options, pretty(layout))
}
