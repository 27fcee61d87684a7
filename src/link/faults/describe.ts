/** Errors in words: causes and aggregates flattened, one line, never empty, secrets taken out. */

const MAX_ERRORS = 12
const MAX_TEXT = 600
/** Longer texts are cut before they are looked at. */
const MAX_RAW = 4 * MAX_TEXT

/** What can be read of one error, whatever it is. */
export interface ErrorFacts {
  /** `name`, and the class where that says more: the errors of node-redis are all named `Error`. */
  readonly names: readonly string[]
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
  const facts = factsOf(error)
  const parts: string[] = []
  for (const one of facts) {
    const part = sentenceOf(one)
    if (part !== '' && !parts.some((earlier) => earlier.includes(part))) parts.push(part)
  }
  const text = parts.length > 0 ? parts.join('; ') : facts.map(nameOf).find((name) => name !== '')
  return shortened(text ?? 'no error was given')
}

/** Takes passwords and tokens out of a text and makes it one line. */
export function redacted(text: string): string {
  let clean = oneLine(text)
  for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement)
  return clean
}

const SECRETS: readonly (readonly [RegExp, string])[] = [
  // redis://user:password@host, also when the password holds an @
  [/([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/:@]*):\S*@/gi, '$1$2:***@'],
  // The server repeats the arguments of a command it does not know: HELLO 3 AUTH <user> <password> on an old one.
  [/(with args beginning with:).*/i, '$1 ***'],
  // AUTH as it is typed, quoted and on the wire; `AUTH <password>` is prose of the server.
  [/\b(AUTH['"`]?\s+)(?!<)(?:\$\d+\s+)?['"`]?[^\s'"`]+['"`]?(?:\s+(?:\$\d+\s+)?['"`]?[^\s'"`]+['"`]?)?/g, '$1***'],
  [/(^|\bSET['"`]?\s+)(['"`]?(?:requirepass|masterauth)['"`]?\s+)(?!<)\S+/gi, '$1$2***'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 ***'],
  [
    /((?:password|passwd|passphrase|secret|token|access_?key|api_?key)["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s&,;)}\]]+)/gi,
    '$1***',
  ],
]

function factsOfOne(error: unknown): ErrorFacts {
  if (typeof error !== 'object' && typeof error !== 'function')
    return { names: [], code: '', message: textOf(error), address: '' }
  return {
    names: [textOf(read(error, 'name')), textOf(read(read(error, 'constructor'), 'name'))].filter(isTelling),
    code: textOf(read(error, 'code')),
    message: textOf(read(error, 'message')),
    address: textOf(read(error, 'address') ?? read(error, 'path')),
  }
}

function isTelling(name: string): boolean {
  return !['', 'Error', 'Object', 'Array', 'Function'].includes(name)
}

/** OpenSSL packs its reason into thread ids, function names and source lines. */
const OPENSSL = /(?:[0-9A-F]{1,32}:)?error:[0-9A-F]{8}:([^:]*):[^:]*:([^:]*)(?::.*)?/

function sentenceOf({ code, message }: ErrorFacts): string {
  const text = redacted(message).replace(OPENSSL, '$1: $2')
  return text === '' || code === '' || text.includes(code) ? text : `${text} (${redacted(code)})`
}

function nameOf({ names: [name = ''], code }: ErrorFacts): string {
  return redacted(`${name} ${code}`)
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
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : ''
}

function oneLine(text: string): string {
  // A URL that is cut in two may have lost the @ by which its password is known.
  const cut = text.length <= MAX_RAW ? text : text.slice(0, MAX_RAW).replace(/:\/\/\S*$/, '://…')
  return cut.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`
}
