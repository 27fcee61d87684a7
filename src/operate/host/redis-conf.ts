/**
 * redis.conf as Redis reads it: comments, quotes, `include`, directives that repeat.
 *
 *     bind 127.0.0.1 -::1      ──▶  { name: 'bind', values: ['127.0.0.1', '-::1'], file, line }
 *     include conf.d/*.conf    ──▶  the lines of those files, in this place: the last mention of a directive wins
 */
import { isIP } from 'node:net'
import { dirname, isAbsolute, join, matchesGlob } from 'node:path'
import { failed, known, type Evidence } from '../evidence.ts'
import type { Host } from '../host.ts'

export interface Directive {
  /** In lower case. */
  readonly name: string
  readonly values: readonly string[]
  readonly file: string
  /** From 1; 0 for what was given on the command line. */
  readonly line: number
}

export interface RedisConf {
  /** The file that Redis is started with. */
  readonly path: string
  /** In the order in which Redis reads them. */
  readonly directives: readonly Directive[]
  /** What could not be read, or not be understood. */
  readonly problems: readonly string[]
}

/** One address of `bind`. */
export interface BindAddress {
  readonly address: string
  /** Written with a `-` in front: Redis starts without it when it is not there. */
  readonly optional: boolean
  /** `*`, `0.0.0.0`, `::` and `-::*`: every address of the family. */
  readonly wildcard: boolean
  readonly family: 4 | 6 | undefined
}

const MAX_FILES = 32
const MAX_FILE_BYTES = 1_048_576

/** Reads the file and what it includes. Missing only when the first file cannot be read. */
export async function readRedisConf(
  host: Host,
  path: string,
  startArguments: readonly string[] = [],
): Promise<Evidence<RedisConf>> {
  const first = await host.readFile(path, { maxBytes: MAX_FILE_BYTES })
  if (first.kind !== 'known') return first
  const problems: string[] = []
  const seen = new Set<string>()
  const directives = await expanded({ host, problems, seen }, path, first.value)
  if (directives.length === 0 && problems.length > 0) return failed(problems.join('; '))
  return known({ path, directives: [...directives, ...directivesOfArguments(startArguments)], problems })
}

interface Reading {
  readonly host: Host
  readonly problems: string[]
  readonly seen: Set<string>
}

async function expanded(reading: Reading, file: string, text: string): Promise<readonly Directive[]> {
  reading.seen.add(file)
  const { directives, problems } = parseRedisConf(text, file)
  reading.problems.push(...problems)
  const result: Directive[] = []
  for (const directive of directives) {
    if (directive.name === 'include') result.push(...(await included(reading, directive)))
    else result.push(directive)
  }
  return result
}

async function included(
  reading: Reading,
  { values: [pattern = ''], file, line }: Directive,
): Promise<readonly Directive[]> {
  const path = isAbsolute(pattern) ? pattern : join(dirname(file), pattern)
  const result: Directive[] = []
  for (const one of await filesOf(reading.host, path)) {
    if (reading.seen.has(one) || reading.seen.size >= MAX_FILES) continue
    const text = await reading.host.readFile(one, { maxBytes: MAX_FILE_BYTES })
    if (text.kind === 'known') result.push(...(await expanded(reading, one, text.value)))
    else reading.problems.push(`${file}:${line} includes ${one}: ${text.detail}`)
  }
  return result
}

async function filesOf(host: Host, pattern: string): Promise<readonly string[]> {
  if (!/[*?[]/.test(pattern)) return [pattern]
  const folder = dirname(pattern)
  const names = await host.list(folder)
  if (names.kind !== 'known') return []
  const paths = names.value.map((name) => join(folder, name))
  return paths.filter((path) => matchesGlob(path, pattern)).toSorted()
}

/** The directives of one text; `include` is one of them. */
export function parseRedisConf(text: string, file: string): Pick<RedisConf, 'directives' | 'problems'> {
  const directives: Directive[] = []
  const problems: string[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const words = splitWords(trimmed)
    const [name = '', ...values] = words ?? []
    if (words === undefined) problems.push(`${file}:${index + 1}: unbalanced quotes`)
    else directives.push({ name: name.toLowerCase(), values, file, line: index + 1 })
  }
  return { directives, problems }
}

/** `--port 7000 --save "" --appendonly yes`, as it stands in `ExecStart=`; words before the first option are left out. */
function directivesOfArguments(words: readonly string[]): readonly Directive[] {
  const directives: { name: string; values: string[]; file: string; line: number }[] = []
  for (const word of words) {
    if (/^--[a-z]/i.test(word))
      directives.push({ name: word.slice(2).toLowerCase(), values: [], file: 'the command line', line: 0 })
    else directives.at(-1)?.values.push(word)
  }
  return directives
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007' }

/** Words as Redis splits them; undefined when a quote is not closed, or something follows it at once. */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = []
  let rest = line.trimStart()
  while (rest !== '') {
    const quoted = /^"((?:[^"\\]|\\.)*)"(?=\s|$)|^'((?:[^'\\]|\\.)*)'(?=\s|$)/s.exec(rest)
    const bare = quoted === null ? /^[^\s"']\S*/.exec(rest) : null
    if (quoted === null && bare === null) return undefined
    const [all = '', double, single = ''] = quoted ?? bare ?? []
    words.push(bare !== null ? all : double === undefined ? single.replaceAll("\\'", "'") : unescaped(double))
    rest = rest.slice(all.length).trimStart()
  }
  return words
}

function unescaped(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})|\\(.)/gi, (_, hex: string | undefined, char: string | undefined) =>
    hex === undefined ? (ESCAPES[char ?? ''] ?? char ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** The last mention of a directive; it is the one that counts for all but `save`, `user` and the like. */
export function directive(conf: Pick<RedisConf, 'directives'>, name: string): Directive | undefined {
  return conf.directives.findLast((one) => one.name === name)
}

/** Its first word; undefined when the file does not name it. */
export function setting(conf: Pick<RedisConf, 'directives'>, name: string): string | undefined {
  return directive(conf, name)?.values[0]
}

/** What Redis listens on when nothing is said. */
const DEFAULT_BIND = ['*', '-::*']

/** The addresses of `bind`. Given as words, or in one, as CONFIG GET has them. */
export function bindAddresses(words: readonly string[] = DEFAULT_BIND): readonly BindAddress[] {
  return words
    .flatMap((word) => word.split(/\s+/))
    .filter((word) => word !== '')
    .map((word) => {
      const optional = word.startsWith('-')
      const address = optional ? word.slice(1) : word
      const wildcard = ['*', '::*', '0.0.0.0', '::'].includes(address)
      const family = address === '*' ? 4 : address === '::*' ? 6 : familyOf(address)
      return { address, optional, wildcard, family }
    })
}

function familyOf(address: string): 4 | 6 | undefined {
  const family = isIP(address.replace(/%.*$/, ''))
  return family === 4 || family === 6 ? family : undefined
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1_000_000,
  mb: 1024 ** 2,
  g: 1_000_000_000,
  gb: 1024 ** 3,
}

/** Bytes out of `100mb` as Redis reads it (`k` is 1000, `kb` is 1024); NaN for anything else. */
export function memoryBytes(text: string | undefined): number {
  const [, digits = '', unit = ''] = /^(\d+)([a-z]*)$/i.exec(text?.trim() ?? '') ?? []
  return digits === '' ? Number.NaN : Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
}
