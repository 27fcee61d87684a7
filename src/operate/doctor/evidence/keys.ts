/**
 * Some keys of every database: by SCAN, in small steps and not many of them, never by KEYS. What SCAN meets first is as
 * good as drawn by lot, because it goes by the hash of the names.
 */
import type { Reply } from '../../../link/index.ts'
import { deniedAmong, known, mapped, valueOr, type Evidence, type Missing } from '../../evidence.ts'
import type { Server } from '../server.ts'
import type { EvidenceSource } from './context.ts'
import { itemsOf, numberIn } from './fields.ts'
import type { DatabaseSample, Fields, SampledKey, ServerValues } from './server-values.ts'

const MAX_KEYS_PER_DATABASE = 500
const MAX_DATABASES = 16
const STEP = 100
/** A step may meet none in a database that has shrunk. */
const MAX_STEPS = 50
const SHARE_OF_TIME = 0.5
/** Of smaller ones the length says little. */
const LENGTH_FROM_BYTES = 16_384

const LENGTHS: Readonly<Record<string, string>> = {
  hash: 'HLEN',
  list: 'LLEN',
  set: 'SCARD',
  zset: 'ZCARD',
  stream: 'XLEN',
}

export const keys: EvidenceSource<ServerValues['keys']> = {
  reads: 'SCAN, a sample',
  commands: ['select', 'scan', 'type', 'pttl', 'memory|usage', 'hlen', 'llen', 'scard', 'zcard', 'xlen'],
  collect: async ({ target, server, clock, remainingMs, evidence }) => {
    const until = clock.now() + remainingMs * SHARE_OF_TIME
    const info = await evidence('info')
    if (info.kind !== 'known') return info
    const databases: DatabaseSample[] = []
    const told = databasesIn(info.value).slice(0, MAX_DATABASES)
    // A server that does not tell may have keys all the same.
    const asked = told.length > 0 ? told : [{ database: target.endpoint.database, keys: 0, expires: 0 }]
    for (const { database, keys, expires } of asked) {
      if (clock.now() > until) break
      const sampled = await sampleOf(database, { server, inTime: () => clock.now() < until })
      if (sampled.kind !== 'known') return sampled
      databases.push({ database, keys, expires, sampled: sampled.value })
    }
    return known({ databases })
  },
}

/** `db0:keys=12,expires=3,avg_ttl=0`. */
export function databasesIn(info: Fields): Omit<DatabaseSample, 'sampled'>[] {
  return [...info].flatMap(([name, text]) => {
    const number = /^db(\d+)$/.exec(name)?.[1]
    if (number === undefined) return []
    const fields = new Map(text.split(',').map((pair) => pair.split('=', 2) as [string, string]))
    return [{ database: Number(number), keys: numberIn(fields, 'keys'), expires: numberIn(fields, 'expires') }]
  })
}

interface Sampling {
  readonly server: Server
  readonly inTime: () => boolean
}

async function sampleOf(database: number, { server, inTime }: Sampling): Promise<Evidence<readonly SampledKey[]>> {
  // A cluster has only one, and does not let itself be asked for it.
  if (database > 0) {
    const selected = await server.ask('SELECT', String(database))
    if (selected.kind !== 'known') return selected
  } else await server.ask('SELECT', '0')
  const sampled: (SampledKey | Missing)[] = []
  let cursor = '0'
  for (let step = 0; step < MAX_STEPS && sampled.length < MAX_KEYS_PER_DATABASE && inTime(); step++) {
    const page = await server.ask('SCAN', cursor, 'COUNT', String(STEP))
    if (page.kind !== 'known') return page
    const [next, names] = itemsOf(page.value)
    sampled.push(...(await Promise.all(itemsOf(names ?? null).map((name) => lookAt(String(name), server)))))
    cursor = String(next)
    if (cursor === '0') break
  }
  const seen = sampled.filter((key) => 'type' in key)
  const denied = sampled.find((key) => 'kind' in key)
  // A user for some of the keys sees those.
  if (denied !== undefined && seen.length === 0) return denied
  return known(seen.filter(({ type }) => type !== 'none'))
}

async function lookAt(name: string, server: Server): Promise<SampledKey | Missing> {
  const [type, ttl, bytes] = await Promise.all([
    server.ask('TYPE', name),
    server.ask('PTTL', name),
    server.ask('MEMORY', 'USAGE', name),
  ])
  const denied = deniedAmong([type, ttl, bytes])
  if (denied !== undefined) return denied
  const kind = String(valueOr(type, 'none'))
  const size = numberOf(bytes)
  const count = LENGTHS[kind]
  const length = count === undefined || size < LENGTH_FROM_BYTES ? undefined : numberOf(await server.ask(count, name))
  const ttlMs = numberOf(ttl)
  return { name, type: kind, ttlMs: ttlMs < 0 ? undefined : ttlMs, bytes: size, length }
}

function numberOf(reply: Evidence<Reply>): number {
  return valueOr(mapped(reply, Number), 0)
}

/** What a name looks like, without what may be a secret in it: `sess:9f2c…` → `sess:*`. */
export function shapeOf(name: string): string {
  const parts = name.split(/([:/|])/)
  const shown = parts.map((part, index) => (index % 2 === 1 || isWord(part) ? part : '*'))
  return shown.length <= 7 ? shown.join('') : `${shown.slice(0, 7).join('')}…`
}

const MAX_WORD = 24

function isWord(part: string): boolean {
  return (
    part.length <= MAX_WORD &&
    /^[_.-]*[a-z]+([_.-]*[a-z]+)*$/i.test(part) &&
    !/[a-z][A-Z].*[A-Z][a-z].*[A-Z]/.test(part)
  )
}
