/** Errors in words: causes and aggregates flattened, one line, never empty, secrets taken out. */

const MAX_ERRORS = 12
const MAX_TEXT = 600
const MAX_RAW = 8 * MAX_TEXT

/** What can be read of one error, whatever it is. */
export interface ErrorFacts {
  readonly name: string
  readonly code: string
  readonly message: string
  /** Where it tried to connect to, when the operating system told. */
  readonly address: string
}

/**
 * The facts of an error, of the members of an AggregateError and of all causes, outermost first.
 * Cycles, endless chains and getters that throw do no harm.
 */
export function factsOf(error: unknown): readonly ErrorFacts[] {
  const facts: ErrorFacts[] = []
  const seen = new Set<unknown>()
  const waiting: unknown[] = [error]
  while (waiting.length > 0 && seen.size < MAX_ERRORS) {
    const next = waiting.shift()
    if (next === undefined || next === null || seen.has(next)) continue
    seen.add(next)
    facts.push(factsOfOne(next))
    const members = read(next, 'errors')
    if (Array.isArray(members)) waiting.push(...members.slice(0, MAX_ERRORS))
    waiting.push(read(next, 'cause'))
  }
  return facts
}

/** One line that says what happened: for logs, reasons and error messages. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (const facts of factsOf(error)) {
    const part = partOf(facts)
    if (part !== '' && !parts.some((earlier) => earlier.includes(part))) parts.push(part)
  }
  return shortened(parts.length === 0 ? 'no error was given' : parts.join('; '))
}

/** Takes passwords and tokens out of a text and makes it one line. */
export function redacted(text: string): string {
  let clean = oneLine(text)
  for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement)
  return clean
}

const SECRETS: readonly (readonly [RegExp, string])[] = [
  // redis://user:password@host, also when the password holds an @
  [/([a-z][a-z0-9+.-]*:\/\/)([^\s/:@]*):\S*@(?=[^\s@]*)/gi, '$1$2:***@'],
  // An old server repeats the arguments of HELLO 3 AUTH <user> <password>.
  [/(with args beginning with:).*/i, '$1 ***'],
  // AUTH as it is typed, as it is quoted and as it is on the wire; `AUTH <password>` is prose of the server.
  [/\b(AUTH|requirepass|masterauth)(['"`]?[\s,]+)(?!<)(?:\$\d+\s+)?['"`]?[^\s'"`,]+['"`]?(?:[\s,]+(?:\$\d+\s+)?['"`]?[^\s'"`,]+['"`]?)?/g, '$1$2***'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 ***'],
  [/(["']?\b(?:password|passwd|passphrase|secret|token|auth_token|access_key|api_?key)["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s&,;)}\]]+)/gi, '$1***'],
]

function factsOfOne(error: unknown): ErrorFacts {
  if (typeof error !== 'object' && typeof error !== 'function') return { name: '', code: '', message: textOf(error), address: '' }
  return {
    name: textOf(read(error, 'name')),
    code: textOf(read(error, 'code')),
    message: textOf(read(error, 'message')),
    address: textOf(read(error, 'address') ?? read(error, 'path')),
  }
}

function partOf({ name, code, message }: ErrorFacts): string {
  const text = redacted(message)
  if (text === '') return [name, code].filter((word) => word !== '' && word !== 'Error').join(' ')
  return code === '' || text.includes(code) ? text : `${text} (${code})`
}

function read(from: unknown, property: string): unknown {
  if ((typeof from !== 'object' && typeof from !== 'function') || from === null) return undefined
  try {
    return Reflect.get(from, property)
  } catch (failure) {
    return `unreadable ${property}: ${typeof failure}`
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, MAX_RAW)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : ''
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  return text.slice(0, MAX_RAW).replace(/[\u0000-\u0020\u007f-\u00a0\u2028\u2029]+/g, ' ').trim()
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`
}
