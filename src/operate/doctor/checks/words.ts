/** Facts in words, alike in every finding. */
import type { Fields } from '../evidence/server-values.ts'
import { quoted } from '../shell.ts'

const KIB = 1024
const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** `1.5 GiB`, `12.0 MiB`, `80 KiB`, `12 B`. */
export function bytesText(bytes: number): string {
  if (bytes >= GIB) return `${(bytes / GIB).toFixed(1)} GiB`
  if (bytes >= MIB) return `${(bytes / MIB).toFixed(1)} MiB`
  return bytes >= KIB ? `${Math.round(bytes / KIB)} KiB` : `${bytes} B`
}

/** `3 days`, `2 hours`, `5 min`, `12 s`. */
export function durationText(seconds: number): string {
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} days`
  if (seconds >= 7200) return `${Math.floor(seconds / 3600)} hours`
  return seconds >= 120 ? `${Math.floor(seconds / 60)} min` : `${Math.round(seconds)} s`
}

/** `maxmemory_policy noeviction`, for each of the names that is told. */
export function told(fields: Fields, ...names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const text = fields.get(name)
    return text === undefined ? [] : [`${name} ${text === '' ? '(empty)' : text}`]
  })
}

/** The command that changes a setting of the running server, and in its file. */
export function setting(name: string, value: string): readonly string[] {
  return [`redis-cli CONFIG SET ${name} ${quoted(value)}`, 'redis-cli CONFIG REWRITE']
}

/** At most so many of them, and how many more there are. */
export function some(items: readonly string[], max = 5): readonly string[] {
  return items.length <= max ? items : [...items.slice(0, max), `and ${items.length - max} more`]
}
