/**
 * Where lines go: the shape of a logger (pino's), a plain one for who brings none, and the guard around whichever it is.
 */

/** What goes beside the message, for machines. */
export type LogFields = Readonly<Record<string, unknown>>

/** One level of a logger: fields for machines, then a sentence for people. */
export type LogLine = (fields: LogFields, message: string) => void

/** What Evenkeel needs of a logger; an instance of pino is one. */
export interface Logger {
  readonly info: LogLine
  readonly warn: LogLine
  readonly error: LogLine
}

export type LogLevel = keyof Logger

/** One line per entry: time, level, message, fields as JSON. */
export function plainLogger(write: (line: string) => void, wallNow: () => number = Date.now): Logger {
  const line =
    (level: LogLevel): LogLine =>
    (fields, message) =>
      write(`${new Date(wallNow()).toISOString()} ${level.toUpperCase()} ${message} ${JSON.stringify(fields)}\n`)
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

/** What `createEvenkeel` logs to when it is given no logger. */
export function stderrLogger(): Logger {
  return plainLogger((line) => process.stderr.write(line))
}

/**
 * The logger with secrets taken out of everything that passes through. It never throws: lines are written from inside
 * `diagnostics_channel`, where an exception of the user's logger would end the process.
 */
export function guardedLogger(logger: Logger): Logger {
  const guarded =
    (level: LogLevel): LogLine =>
    (fields, message) => {
      try {
        logger[level](withoutSecrets(fields), maskedText(message))
      } catch (error) {
        process.emitWarning(`The logger given to Evenkeel failed: ${String(error)}`, { code: 'EVENKEEL_LOGGER' })
      }
    }
  return { info: guarded('info'), warn: guarded('warn'), error: guarded('error') }
}

/** Names of fields whose value is nobody's business. */
const SECRET_NAME = /pass(word|wd|phrase)?$|secret|token|authorization|cookie|api_?key|private_?key/i
/** `scheme://user:password@` in the middle of a text; the password may hold an @. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):\S*@/gi
const MAX_DEPTH = 6

/** The fields again, with secrets masked by name and within texts. */
export function withoutSecrets(fields: LogFields): LogFields {
  return maskedFields(fields, 0)
}

function maskedFields(fields: LogFields, depth: number): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, SECRET_NAME.test(name) ? '***' : masked(value, depth + 1)]),
  )
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskedText(value)
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1))
  // Errors, dates and the like are the logger's to write.
  return isPlain(value) ? maskedFields(value, depth) : value
}

function isPlain(value: object): value is LogFields {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function maskedText(text: string): string {
  return text.replace(URL_PASSWORD, '$1:***@')
}
