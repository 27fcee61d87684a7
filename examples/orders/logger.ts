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
  return pino(
    options,
    pretty({ sync: true, ignore: 'pid,hostname,instance,incident,event', translateTime: 'SYS:HH:MM:ss.l' }),
  )
}
