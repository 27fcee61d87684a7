/** Every state with errors that a real server can be brought into. */
import type { RedisServer } from '../../../support/redis-server.ts'
import {
  appendOnlyDiskFull,
  busyScript,
  loading,
  masterDown,
  noReplicas,
  outOfMemory,
  passwordRequired,
  readOnly,
  restrictedUser,
  snapshotFails,
  tooManyClients,
  type State,
} from '../../../support/redis-states.ts'
import { RETURNS, type StateRow } from './row.ts'

const { notReadyMs, writeProbeMs, misconfiguredMs } = RETURNS
const READS = ['GET', 'PUBLISH']

export const NOT_READY_ROWS: readonly StateRow[] = [
  { ...notReady('loading', 'loading'), enter: (server) => loading(server) },
  { ...notReady('its master is gone, and it serves no stale data', 'master-down'), enter: masterDown },
  { ...notReady('busy with a script', 'busy-script'), enter: (server) => busyScript(server) },
  {
    ...notReady('busy with a script that has written', 'busy-script'),
    enter: (server) => busyScript(server, { afterWrite: true }),
    dataLost: true,
  },
  {
    ...notReady('full of clients', 'max-clients'),
    enter: async (server) => cutOff(server, await tooManyClients(server)),
  },
]

export const WRITE_BLOCKED_ROWS: readonly StateRow[] = [
  { ...writeBlocked('out of memory', 'out-of-memory'), enter: outOfMemory, works: [...READS, 'DEL', 'EXPIRE'] },
  { ...writeBlocked('no snapshot can be saved', 'snapshot-failing'), enter: snapshotFails },
  { ...writeBlocked('no space for the append-only file', 'aof-failing'), enter: appendOnlyDiskFull },
  { ...writeBlocked('too few replicas', 'too-few-replicas'), enter: noReplicas },
  { ...writeBlocked('demoted to a replica', 'read-only-replica'), enter: readOnly },
  { ...writeBlocked('a replica from the beginning', 'read-only-replica'), enter: readOnly, atBoot: true },
]

export const MISCONFIGURED_ROWS: readonly StateRow[] = [
  {
    ...misconfigured('a password is asked for', 'password-missing'),
    enter: (server) => passwordRequired(server, 'secret'),
    atBoot: true,
  },
  {
    ...misconfigured('a password comes into force while connected', 'password-missing'),
    enter: async (server) => cutOff(server, await passwordRequired(server, 'secret')),
  },
  {
    ...misconfigured('the password is rotated while connected', 'wrong-password'),
    server: { args: ['--requirepass', 'old'] },
    prepare: async (server) => void (await server.command('AUTH', 'old')),
    redis: ({ url }) => ({ url, password: 'old' }),
    enter: async (server) => cutOff(server, await passwordRequired(server, 'new')),
  },
  {
    ...misconfigured('the user is deleted while connected', 'wrong-password'),
    prepare: (server) => addUser(server),
    redis: ({ url }) => ({ url, username: 'app', password: 'secret' }),
    enter: async (server) => {
      await server.command('ACL', 'DELUSER', 'app')
      const restore = (): Promise<void> => addUser(server)
      return { restore, [Symbol.asyncDispose]: restore }
    },
  },
]

function notReady(name: string, reason: string) {
  return { name, reason, state: 'not-ready', works: [], returnMs: notReadyMs } as const
}

function writeBlocked(name: string, reason: string) {
  return { name, reason, state: 'write-blocked', works: READS, returnMs: writeProbeMs } as const
}

function misconfigured(name: string, reason: string) {
  return { name, reason, state: 'misconfigured', works: [], returnMs: misconfiguredMs } as const
}

/** Open connections are not touched by the state, so they are cut. */
async function cutOff(server: RedisServer, state: State): Promise<State> {
  await server.command('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES')
  return state
}

async function addUser(server: RedisServer): Promise<void> {
  await restrictedUser(server, { name: 'app', password: 'secret', rules: ['~*', '&*', '+@all'] })
}
