/** What happens to the server itself. */
import { setTimeout as delay } from 'node:timers/promises'
import type { RedisServer } from '../../../support/redis-server.ts'
import { PROMISES, type Cell } from '../cell.ts'
import { direct, DURABLE, overUnixSocket } from '../stages.ts'

const { closedMs, silentMs, idleMs } = PROMISES
/** The kernel first has to end the process; then its sockets close. */
const KILL_MS = 30

/** A killed process ends its connections by FIN, or by RST when it had not read everything. */
const CUT = ['connection-closed', 'reset']
const AWAY = ['refused']

const frozen = { begin: (server: RedisServer) => server.freeze(), heal: (server: RedisServer) => server.thaw() }
const killed = { begin: (server: RedisServer) => server.kill(), heal: (server: RedisServer) => server.start() }

export const SERVER_CELLS: readonly Cell[] = [
  {
    name: 'kill -9, restart',
    stage: direct({ server: () => DURABLE, ...killed }),
    faultMs: 1500,
    expect: { degradedMs: closedMs + KILL_MS, detectedAs: CUT, reason: AWAY, gaps: [1, 1] },
  },
  {
    name: 'kill -9, restart empty',
    stage: direct({ ...killed, heal: (server) => server.start({ empty: true }) }),
    faultMs: 1500,
    expect: { degradedMs: closedMs + KILL_MS, detectedAs: CUT, reason: AWAY, gaps: [1, 1], dataLost: true },
  },
  {
    name: 'kill -9, Unix socket',
    stage: direct({ server: () => DURABLE, redis: overUnixSocket, ...killed }),
    faultMs: 1500,
    expect: {
      degradedMs: closedMs + KILL_MS,
      detectedAs: [...CUT, 'broken-pipe'],
      reason: ['socket-refused'],
      gaps: [1, 1],
    },
  },
  {
    name: 'frozen 1.5 s (SIGSTOP)',
    stage: direct(frozen),
    faultMs: 1500,
    expect: { degradedMs: silentMs, detectedAs: ['silent'], reason: ['silent', 'handshake-timeout'] },
  },
  {
    name: 'frozen 2 s, 4 calls a second',
    stage: direct(frozen),
    faultMs: 2000,
    callEveryMs: 250,
    // Silence is counted from the first call that is not answered, and that may come 250 ms after the freeze.
    expect: { degradedMs: silentMs + 250, detectedAs: ['silent'], reason: ['silent', 'handshake-timeout'] },
  },
  {
    name: 'frozen 5 s',
    stage: direct(frozen),
    faultMs: 5000,
    repetitions: 1,
    expect: { degradedMs: silentMs, detectedAs: ['silent'], reason: ['handshake-timeout'], gaps: [1, 1] },
  },
  {
    name: 'frozen 5 s, Unix socket',
    stage: direct({ redis: overUnixSocket, ...frozen }),
    faultMs: 5000,
    repetitions: 1,
    expect: { degradedMs: silentMs, detectedAs: ['silent'], reason: ['handshake-timeout'], gaps: [1, 1] },
  },
  {
    name: 'frozen 4 s, nobody calls',
    stage: direct(frozen),
    phase: 'idle',
    faultMs: 4000,
    repetitions: 1,
    expect: { degradedMs: idleMs, detectedAs: ['silent'], reason: ['silent', 'handshake-timeout'] },
  },
  {
    name: 'frozen at boot',
    stage: direct(frozen),
    phase: 'boot',
    faultMs: 2500,
    repetitions: 1,
    expect: { reason: ['handshake-timeout'], upPeriods: 1 },
  },
  {
    name: 'busy 1.5 s (DEBUG SLEEP)',
    stage: direct({
      server: () => ({ args: ['--enable-debug-command', 'local'] }),
      begin: (server) => void whileItLasts(server, 'DEBUG', 'SLEEP', 1.5),
    }),
    faultMs: 1500,
    expect: { degradedMs: silentMs, detectedAs: ['silent'], reason: ['silent', 'handshake-timeout'] },
  },
  {
    name: 'paused 1.5 s (CLIENT PAUSE)',
    stage: direct({ begin: (server) => void whileItLasts(server, 'CLIENT', 'PAUSE', 1500) }),
    faultMs: 1500,
    expect: { degradedMs: silentMs, detectedAs: ['silent'], reason: ['silent', 'handshake-timeout'] },
  },
  {
    name: 'killed twice within a minute',
    stage: direct({
      server: () => DURABLE,
      begin: async (server) => {
        await server.restart()
        await delay(1500)
        await server.kill()
      },
      heal: (server) => server.start(),
    }),
    faultMs: 1500,
    repetitions: 1,
    expect: {
      detectedAs: CUT,
      reason: AWAY,
      returnMs: PROMISES.returnMs + PROMISES.holdMs,
      gaps: [1, 2],
      upPeriods: 3,
    },
  },
]

async function whileItLasts(server: RedisServer, ...command: (string | number)[]): Promise<void> {
  const client = await server.connectLocally()
  await client.command(...command)
  client.close()
}
