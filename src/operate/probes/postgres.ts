/** Can we be served by this PostgreSQL now? */
import { Socket } from 'node:net'
import { classify, loadPg, ownFault, placeOf, type PgClient, type PostgresAddress } from '../../database/index.ts'
import { describeError, type Address } from '../../link/index.ts'
import type { Finding } from '../diagnosis.ts'
import { CHECK_FINDINGS, Found } from '../findings.ts'
import { OutOfTime, type Examination, type Explain, type Seen } from './examination.ts'
import { reach } from './network.ts'
import { roundTrip } from './round-trip.ts'

export interface PostgresProbeOptions {
  readonly write: boolean
  readonly probes: number
}

/** Committed with its row, so that the disk has to take it; nothing of it stays. */
const WRITE =
  'BEGIN; CREATE TEMPORARY TABLE evenkeel_check (value integer) ON COMMIT DROP; INSERT INTO evenkeel_check VALUES (1); COMMIT'

export async function probePostgres(
  address: PostgresAddress,
  options: PostgresProbeOptions,
  examination: Examination,
): Promise<void> {
  const explain = postgresFinding(address)
  const onTheWay = (phase: 'resolve' | 'connect'): Explain => (phase === 'resolve' ? unresolved(address) : explain)
  const [at = serverAddress(address)] = await reach(examination, [serverAddress(address)], onTheWay)
  const socket = new Socket()
  try {
    const client = await enter(clientOver(socket, address, at), address, examination)
    const ask = (sql: string): Promise<string> => answer(client, sql)
    await examination.look('role', () => role(ask), explain)
    await examination.look('read', () => read(ask), explain)
    if (options.write) await examination.look('write', () => write(ask), explain)
    await examination.look('version', () => version(ask), explain)
    if (options.probes > 0)
      await examination.look('round-trip', () => roundTrip(examination, options.probes, () => ask('SELECT 1')), explain)
  } finally {
    socket.destroy()
  }
}

/** `/run/postgresql` is the directory of a socket. */
function serverAddress({ host, port }: PostgresAddress): Address {
  return host.startsWith('/') ? { kind: 'socket', path: `${host}/.s.PGSQL.${port}` } : { kind: 'tcp', host, port }
}

/** TLS, password and database are one exchange, of which the client tells only the end: the fault says how far it came. */
const ENTRANCE = ['tls', 'login', 'database'] as const

async function enter(client: Promise<PgClient>, address: PostgresAddress, examination: Examination): Promise<PgClient> {
  const explain = postgresFinding(address)
  const entering = client.then((loaded) => loaded.connect())
  const details = { tls: 'encrypted', login: `as ${address.user ?? 'the default user'}`, database: address.database }
  for (const layer of ENTRANCE.slice(address.tls === undefined ? 1 : 0)) {
    const step = async (): Promise<Seen<undefined>> => {
      await entering.catch((error: unknown) => {
        if (ENTRANCE.indexOf(layerOf(findingOf(error, address))) <= ENTRANCE.indexOf(layer)) throw error
      })
      return { value: undefined, detail: details[layer] ?? 'the one named like the user' }
    }
    await examination.look(layer, step, explain)
  }
  return await client
}

function layerOf({ code }: Finding): (typeof ENTRANCE)[number] {
  if (code.startsWith('tls-')) return 'tls'
  return code === 'database-unknown' ? 'database' : 'login'
}

async function clientOver(socket: Socket, address: PostgresAddress, at: Address): Promise<PgClient> {
  const { Client, types } = await loadPg()
  const { user, password, database, tls } = address
  const client = new Client({
    host: at.kind === 'tcp' ? at.host : address.host,
    port: address.port,
    user,
    password,
    database,
    application_name: 'evenkeel-check',
    options: undefined,
    ssl:
      tls === undefined
        ? false
        : { servername: address.host, ...tls, ca: tls.ca === undefined ? undefined : [tls.ca].flat() },
    keepAlive: true,
    keepAliveInitialDelayMillis: 0,
    types,
    stream: () => socket,
  })
  client.on('error', () => 'the question that was asked fails as well')
  return client
}

type Question = (sql: string) => Promise<string>

/** A standby, or told to be read-only: worth a word here, a failure when a write is asked for. */
async function role(ask: Question): Promise<Seen<undefined>> {
  const standby = (await ask('SELECT pg_is_in_recovery()')) === 'true'
  const readOnly = (await ask('SHOW transaction_read_only')) === 'on'
  if (standby)
    return { value: undefined, detail: 'standby', facts: { role: 'standby' }, warning: CHECK_FINDINGS.standby }
  if (readOnly) return { value: undefined, detail: 'primary, read-only', warning: CHECK_FINDINGS.standby }
  return { value: undefined, detail: 'primary', facts: { role: 'primary' } }
}

async function read(ask: Question): Promise<Seen<undefined>> {
  return {
    value: undefined,
    detail: `${await ask('SELECT count(*) FROM pg_catalog.pg_class')} relations in its catalogue`,
  }
}

async function write(ask: Question): Promise<Seen<undefined>> {
  await ask(WRITE)
  return { value: undefined, detail: 'a temporary table, committed and gone' }
}

async function version(ask: Question): Promise<Seen<undefined>> {
  const told = await ask('SHOW server_version')
  return { value: undefined, detail: `PostgreSQL ${told}`, facts: { server: 'postgresql', version: told } }
}

/** The first value of the first row. */
async function answer(client: PgClient, sql: string): Promise<string> {
  const result = await client.query({ text: sql })
  return String(Object.values(result.rows?.[0] ?? {})[0])
}

function postgresFinding(address: PostgresAddress): Explain {
  return (error) => findingOf(error, address)
}

/** A name server that does not answer in time is no silence of the database. */
function unresolved(address: PostgresAddress): Explain {
  return (error) => {
    if (!(error instanceof OutOfTime)) return findingOf(error, address)
    return findingOf(Object.assign(new Error(error.message), { code: 'EAI_AGAIN' }), address)
  }
}

function findingOf(error: unknown, address: PostgresAddress): Finding {
  if (error instanceof Found) return error.finding
  const place = placeOf(address)
  const { row } = error instanceof OutOfTime ? ownFault('no-answer', { place }) : classify(error, place)
  return { code: row.code, error: describeError(error), meaning: `${row.text}.`, nextStep: row.nextStep }
}
