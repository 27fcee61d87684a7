/** What the environment says about this service; what it says about Redis and the database is Evenkeel's to read. */
import { evenkeelOptionsFromEnvironment, OptionError, type EvenkeelOptions } from 'evenkeel'
import type { Login } from './visitors.ts'

export interface WorkSettings {
  /** How long an instance may keep an order for itself, in milliseconds. */
  readonly leaseMs: number
  /** Pause between two rounds of the sweep, in milliseconds. */
  readonly sweepMs: number
  /** How long fulfilling an order pretends to take, in milliseconds. */
  readonly workMs: number
}

export interface LoginSettings {
  /** The one who may log in; undefined: nobody. */
  readonly login: Login | undefined
  /** How long he stays so, in milliseconds. */
  readonly sessionMs: number
  /** Attempts to log in from one address. */
  readonly attemptsPerMinute: number
}

export interface Settings {
  readonly host: string
  readonly port: number
  readonly logLevel: string
  /** Where node:sqlite keeps the orders when no DATABASE_URL is set. */
  readonly dataDirectory: string
  readonly keel: EvenkeelOptions
  readonly work: WorkSettings
  /** Who shows it may look at tasks and try them again; undefined: nobody may. */
  readonly adminToken: string | undefined
  /** Orders that one user may place in a minute; 0: as many as he likes. */
  readonly ordersPerMinute: number
  readonly login: LoginSettings
}

type Environment = Readonly<Record<string, string | undefined>>

const MIN_TOKEN = 16
const MIN_PASSWORD = 12
const DAY_MS = 86_400_000
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** @throws OptionError that names the variable */
export function readSettings(environment: Environment): Settings {
  return {
    host: text(environment, 'HOST') ?? '127.0.0.1',
    port: wholeNumber(environment, 'PORT', { fallback: 8002, min: 0, max: 65_535 }),
    logLevel: logLevel(text(environment, 'LOG_LEVEL') ?? 'info'),
    dataDirectory: text(environment, 'EVENKEEL_DATA_DIR') ?? './data',
    keel: evenkeelOptionsFromEnvironment(environment),
    work: {
      leaseMs: wholeNumber(environment, 'ORDERS_LEASE_MS', { fallback: 15_000, min: 300, max: 3_600_000 }),
      sweepMs: wholeNumber(environment, 'ORDERS_SWEEP_MS', { fallback: 1000, min: 20, max: 60_000 }),
      workMs: wholeNumber(environment, 'ORDERS_WORK_MS', { fallback: 0, min: 0, max: 60_000 }),
    },
    adminToken: adminToken(text(environment, 'ORDERS_ADMIN_TOKEN')),
    ordersPerMinute: wholeNumber(environment, 'ORDERS_PER_MINUTE', { fallback: 600, min: 0, max: 1_000_000 }),
    login: {
      login: login(environment),
      sessionMs: wholeNumber(environment, 'ORDERS_SESSION_MS', { fallback: DAY_MS, min: 1000, max: 31 * DAY_MS }),
      attemptsPerMinute: wholeNumber(environment, 'ORDERS_LOGINS_PER_MINUTE', { fallback: 10, min: 1, max: 10_000 }),
    },
  }
}

function text(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim() ?? ''
  return value === '' ? undefined : value
}

interface Range {
  readonly fallback: number
  readonly min: number
  readonly max: number
}

function wholeNumber(environment: Environment, name: string, { fallback, min, max }: Range): number {
  const value = text(environment, name)
  if (value === undefined) return fallback
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new OptionError(name, `Expected '${name}' to be a whole number from ${min} to ${max}, got '${value}'.`)
}

/** A short one could be guessed. */
function adminToken(value: string | undefined): string | undefined {
  if (value === undefined || value.length >= MIN_TOKEN) return value
  throw new OptionError('ORDERS_ADMIN_TOKEN', `Expected 'ORDERS_ADMIN_TOKEN' to have ${MIN_TOKEN} characters or more.`)
}

/** Both, or neither. */
function login(environment: Environment): Login | undefined {
  const user = text(environment, 'ORDERS_LOGIN_USER')
  const password = environment['ORDERS_LOGIN_PASSWORD'] ?? ''
  if (user === undefined && password === '') return undefined
  if (user === undefined)
    throw new OptionError('ORDERS_LOGIN_USER', `Expected 'ORDERS_LOGIN_USER' beside 'ORDERS_LOGIN_PASSWORD'.`)
  if (password.length >= MIN_PASSWORD) return { user, password }
  const message = `Expected 'ORDERS_LOGIN_PASSWORD' to have ${MIN_PASSWORD} characters or more.`
  throw new OptionError('ORDERS_LOGIN_PASSWORD', message)
}

function logLevel(value: string): string {
  const level = value.toLowerCase()
  if (LOG_LEVELS.includes(level)) return level
  throw new OptionError('LOG_LEVEL', `Expected 'LOG_LEVEL' to be one of ${LOG_LEVELS.join(', ')}, got '${value}'.`)
}
