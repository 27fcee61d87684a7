/** The time at which a line of a log was written, in the log's own words: without its zone it cannot be turned into another. */

const STAMPS: readonly RegExp[] = [
  // 2026-11-20T12:51:52.123Z, 2026-11-20 12:51:52,123
  /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?/,
  // Redis: 1234:M 20 Nov 2026 12:51:52.123 * …
  /\b\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}(?:\.\d+)?/,
  // syslog, journalctl: Nov 20 12:51:52
  /\b[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}\b/,
  // common log format: 20/Nov/2026:12:51:52 +0000
  /\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}/,
]
/** pino and others write milliseconds since 1970. */
const EPOCH = /"(?:time|ts|timestamp)":(\d{13}|\d{10}(?:\.\d+)?)(?=[,}])/

/** Undefined when the line has none near its beginning. */
export function stampOf(line: string): string | undefined {
  const epoch = EPOCH.exec(line)?.[1]
  if (epoch !== undefined) return new Date(epoch.length === 13 ? Number(epoch) : Number(epoch) * 1000).toISOString()
  const head = line.slice(0, 120)
  for (const stamp of STAMPS) {
    const found = stamp.exec(head)?.[0]
    if (found !== undefined) return found
  }
  return undefined
}
