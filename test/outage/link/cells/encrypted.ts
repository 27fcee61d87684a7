/** TLS: the faults of every connection, and those that only an encrypted one has. */
import { certificates, type Certificates } from '../../../support/certificates.ts'
import type { RedisServer, RedisServerOptions } from '../../../support/redis-server.ts'
import { PROMISES, type Cell, type Expectation, type Stage } from '../cell.ts'
import { direct, DURABLE } from '../stages.ts'

const { closedMs, silentMs } = PROMISES
const KILL_MS = 30
/** A wrong setting is asked about again after 5 s. */
const MISCONFIGURED_MS = 5500

export const ENCRYPTED_CELLS: readonly Cell[] = [
  {
    name: 'TLS: kill -9, restart',
    stage: encrypted({ begin: (server) => server.kill(), heal: (server) => server.start() }, DURABLE),
    faultMs: 1500,
    expect: {
      degradedMs: closedMs + KILL_MS,
      detectedAs: ['connection-closed', 'reset'],
      reason: ['refused'],
      gaps: [1, 1],
    },
  },
  {
    name: 'TLS: frozen 5 s',
    stage: encrypted({ begin: (server) => server.freeze(), heal: (server) => server.thaw() }),
    faultMs: 5000,
    repetitions: 1,
    expect: {
      degradedMs: silentMs,
      detectedAs: ['silent'],
      reason: ['tls-timeout', 'handshake-timeout'],
      gaps: [1, 1],
    },
  },
  {
    name: 'TLS: certificate runs out, is renewed',
    stage: encrypted({ begin: (server) => present(server, 'expired'), heal: (server) => present(server, 'server') }),
    phase: 'boot',
    faultMs: 1000,
    repetitions: 1,
    expect: { reason: ['tls-expired'], returnMs: MISCONFIGURED_MS, upPeriods: 1 },
  },
  wrong(
    'TLS: certificate for another host',
    'tls-wrong-host',
    encrypted({ begin: (server) => present(server, 'otherHost') }),
  ),
  wrong(
    'TLS: authority that nobody knows',
    'tls-unknown-ca',
    encrypted({ begin: (server) => present(server, 'selfSigned') }),
  ),
  wrong('TLS: no client certificate', 'tls-client-certificate-missing', encrypted({ begin: wantClientCertificates })),
  wrong(
    'plain text to a TLS port',
    'plain-to-tls-port',
    encrypted({ begin: nothing, redis: ({ host, port }) => ({ host, port }) }),
  ),
  wrong(
    'TLS to a plain port',
    'tls-to-plain-port',
    direct({
      begin: nothing,
      redis: async ({ host, port }) => ({ host, port, tls: { ca: (await certificates()).ca.cert } }),
    }),
  ),
]

/** A setting that stays wrong for as long as the link lives. */
function wrong(name: string, reason: string, stage: Cell['stage']): Cell {
  const expect: Expectation = { reason: [reason], stays: true, upPeriods: 0 }
  return { name, stage, phase: 'boot', faultMs: 2000, repetitions: 1, expect }
}

function encrypted(
  stage: Omit<Parameters<typeof direct>[0], 'server'>,
  options?: RedisServerOptions,
): () => Promise<Stage> {
  return direct({
    server: async () => {
      const { ca, server } = await certificates()
      return { ...options, tls: { certificate: server, ca } }
    },
    redis: async ({ url }) => ({ url, tls: { ca: (await certificates()).ca.cert } }),
    ...stage,
  })
}

/** From now on the server shows this certificate to who connects. */
async function present(server: RedisServer, name: keyof Certificates): Promise<void> {
  const { certFile, keyFile } = (await certificates())[name]
  await server.command('CONFIG', 'SET', 'tls-cert-file', certFile, 'tls-key-file', keyFile)
}

async function wantClientCertificates(server: RedisServer): Promise<void> {
  await server.command('CONFIG', 'SET', 'tls-auth-clients', 'yes')
}

function nothing(): void {}
