/** Errors of the operating system in the words of many languages: Node's `ECONNREFUSED`, Python's `Error 111`, Go's `connection refused`. */

/** One error of the system as it was found in a line. */
export interface SystemError {
  /** As Node calls it, such as `ECONNREFUSED`. */
  readonly code: string
  /** What was being done, as far as the line tells. */
  readonly doing: 'resolve' | 'connect' | 'established'
}

/** Numbers of Linux, with those of macOS where they differ, and of `getaddrinfo`, which are negative. */
const NUMBERS: Readonly<Record<string, string>> = {
  '111': 'ECONNREFUSED',
  '61': 'ECONNREFUSED',
  '110': 'ETIMEDOUT',
  '60': 'ETIMEDOUT',
  '113': 'EHOSTUNREACH',
  '101': 'ENETUNREACH',
  '104': 'ECONNRESET',
  '54': 'ECONNRESET',
  '32': 'EPIPE',
  '99': 'EADDRNOTAVAIL',
  '-2': 'ENOTFOUND',
  '-5': 'ENOTFOUND',
  '-3': 'EAI_AGAIN',
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'ECONNREFUSED'],
  [/no route to host/i, 'EHOSTUNREACH'],
  [/network is unreachable/i, 'ENETUNREACH'],
  [/connection reset by peer|connection closed by server/i, 'ECONNRESET'],
  [/broken pipe/i, 'EPIPE'],
  [/i\/o timeout|connection timed out|operation timed out/i, 'ETIMEDOUT'],
  [/temporary failure in name resolution/i, 'EAI_AGAIN'],
  [/no such host|name or service not known|nodename nor servname/i, 'ENOTFOUND'],
]

const CODE =
  /\b(ECONN(?:REFUSED|RESET|ABORTED)|ETIMEDOUT|EPIPE|E(?:HOST|NET)(?:UNREACH|DOWN)|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL)\b/
/** These also belong to files, so only the call that failed makes them ours. */
const CALL = /\bconnect (EACCES|EPERM|ENOENT|EMFILE|ENETDOWN)\b/
const NUMBER = /(?:\bError |\[Errno )(-?\d+)(?:\]| connecting to | while )/

/** The error of the system in a line; undefined when there is none. */
export function systemErrorIn(line: string): SystemError | undefined {
  const code =
    CODE.exec(line)?.[1] ??
    CALL.exec(line)?.[1] ??
    NUMBERS[NUMBER.exec(line)?.[1] ?? ''] ??
    WORDS.find(([words]) => words.test(line))?.[1]
  return code === undefined ? undefined : { code, doing: doing(line, code) }
}

function doing(line: string, code: string): SystemError['doing'] {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'resolve'
  const established =
    /\b(?:read|write) E[A-Z]+|while reading|while writing|EPIPE|ECONNRESET|reset by peer|closed by server/i
  return established.test(line) ? 'established' : 'connect'
}

const ADDRESS = /(?<![\w.])((?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\]|::1|[a-z][a-z0-9.-]*[a-z0-9]):(\d{2,5})(?![\d:])/gi

/** The first host with a port in a line, such as `172.30.0.1:6379`; times of the day are none. */
export function placeIn(line: string): { readonly host: string; readonly port: number } | undefined {
  for (const [, host = '', port = ''] of line.matchAll(ADDRESS)) {
    if (Number(port) <= 65_535) return { host, port: Number(port) }
  }
  return undefined
}
