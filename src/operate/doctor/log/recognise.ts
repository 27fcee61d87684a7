/**
 * What one line of a log tells: by what Redis, systemd and the client libraries write, else by the fault tables that
 * the link and the database go by.
 *
 *     line ──▶ signs of Redis, systemd, kernel ──▶ error reply ──▶ error of the system ──▶ signs of client libraries
 */
import { classify } from '../../../database/index.ts'
import { faultOfFailure, type Fault } from '../../../link/index.ts'
import { CHECKS_OF_FAULTS } from './checks-of-faults.ts'
import { CLIENT_SIGNS } from './client-signs.ts'
import { DATABASE_SIGNS, DATABASE_TEXTS } from './database-signs.ts'
import { placeIn, systemErrorIn, type SystemError } from './error-words.ts'
import { REDIS_SIGNS } from './redis-signs.ts'
import { replyFaultIn } from './reply-words.ts'
import type { LogSign, Service } from './sign.ts'
import { SYSTEM_SIGNS } from './system-signs.ts'
import { mayTell } from './triggers.ts'

/** What a line tells: a sign without its patterns, and where the trouble was, when the line says so. */
export type Recognition = Omit<LogSign, 'patterns' | 'service'> & {
  readonly service: Service | 'unknown'
  /** `host:port`; undefined when the line names none. */
  readonly place: string | undefined
}

/** An error printed by Node is followed by its fields; they say once more what the line above has said. */
const FIELD = /^\s*\[?(?:errno|code|syscall|address|port|command|previousErrors|lastNodeError)\]?: /
/** A sign of life of a library, not an error: `ERR` and the like may stand in it all the same. */
const STACK_FRAME = /^\s+at \S/

/** Undefined when the line is nothing special. */
export function recognise(line: string): Recognition | undefined {
  if (!mayTell(line) || FIELD.test(line) || STACK_FRAME.test(line)) return undefined
  const sign = signIn(line, SERVER_SIGNS) ?? signIn(line, DATABASE_SIGNS)
  if (sign !== undefined) return ofSign(sign, line)
  const database = databaseText(line)
  if (database !== undefined) return ofDatabase(database, line)
  const reply = replyFaultIn(line)
  if (reply !== undefined) return ofFault(reply, line)
  const error = systemErrorIn(line)
  const failure = error === undefined ? undefined : ofSystemError(error, line)
  if (failure !== undefined) return failure
  const client = signIn(line, CLIENT_SIGNS)
  return client === undefined ? undefined : ofSign(client, line)
}

const SERVER_SIGNS: readonly LogSign[] = [...REDIS_SIGNS, ...SYSTEM_SIGNS]

function signIn(line: string, signs: readonly LogSign[]): LogSign | undefined {
  return signs.find(({ patterns }) => patterns.some((pattern) => pattern.test(line)))
}

function databaseText(line: string): string | undefined {
  return DATABASE_TEXTS.find(({ pattern }) => pattern.test(line))?.code
}

function ofSign({ code, service, weight, meaning, nextStep, checks }: LogSign, line: string): Recognition {
  return { code, service, weight, meaning, nextStep, checks, place: placeText(line) }
}

function ofFault({ code, reaction, meaning, nextStep }: Fault, line: string): Recognition {
  const weight = reaction === 'none' ? 'warn' : 'fail'
  const checks = CHECKS_OF_FAULTS[code] ?? []
  return { code, service: 'redis', weight, meaning, nextStep, checks, place: placeText(line) }
}

function ofDatabase(code: string, line: string): Recognition {
  const { row } = classify({ code, severity: 'ERROR' }, '')
  const { text, nextStep } = row
  return {
    code: row.code,
    service: 'postgres',
    weight: row.scope === 'call' ? 'warn' : 'fail',
    meaning: `${text}.`,
    nextStep,
    checks: [],
    place: placeText(line),
  }
}

/** Undefined when nothing in the line says whose error it is, and its words are those of half the world. */
function ofSystemError(error: SystemError, line: string): Recognition | undefined {
  const service = serviceOf(line)
  if (service === 'postgres') return ofDatabase(error.code, line)
  const fault = faultOfFailure(error, { phase: error.doing, tls: false, everUp: false })
  const found = ofFault(fault, line)
  if (service === 'unknown') return line.includes(error.code) ? { ...found, ...SOMEBODY } : undefined
  return fault.code === 'refused' && isGateway(placeIn(line)?.host) ? { ...found, ...REFUSED_AT_GATEWAY } : found
}

const SOMEBODY = {
  service: 'unknown',
  weight: 'warn',
  meaning: 'A connection failed; the line does not say to what.',
  nextStep: 'If the address is that of Redis or of the database: `evenkeel check URL` says why, layer by layer.',
  checks: [],
} as const

const REFUSED_AT_GATEWAY = {
  meaning: 'Nothing listens at the gateway of a Docker network, where a container looks for the Redis of its host.',
  nextStep:
    'On the host: does Redis run (`systemctl status redis-server`), and is this address among `ss -ltn`? After a reboot Redis may have started before the bridge was there: `evenkeel setup redis-host`.',
  checks: ['host.bind-missing', 'host.bind-listening', 'host.start-limit', 'host.unit-state'],
}

/** Docker gives its networks out of 172.16.0.0/12 by default, and itself the first address. */
function isGateway(host: string | undefined): boolean {
  return host !== undefined && /^172\.(1[6-9]|2\d|3[01])\.\d+\.1$/.test(host)
}

const POSTGRES_PORTS = [5432, 6432]
const REDIS_PORTS = [6379, 6380, 6381, 7000, 7001, 16_379, 26_379]

function serviceOf(line: string): Service | 'unknown' {
  const port = placeIn(line)?.port
  if (port !== undefined && REDIS_PORTS.includes(port)) return 'redis'
  if (port !== undefined && POSTGRES_PORTS.includes(port)) return 'postgres'
  if (/redis|valkey|kombu|celery|bullmq|sidekiq/i.test(line)) return 'redis'
  return /postgres|psycopg|asyncpg|\bpg\b|sqlalchemy/i.test(line) ? 'postgres' : 'unknown'
}

function placeText(line: string): string | undefined {
  const place = placeIn(line)
  return place === undefined ? undefined : `${place.host}:${place.port}`
}
