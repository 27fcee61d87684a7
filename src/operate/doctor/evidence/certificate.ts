/** The certificate that the server shows. */
import { connect } from 'node:tls'
import { describeError, lookup, tlsAt, type Address, type TlsOptions } from '../../../link/index.ts'
import { known, notAvailable, type Evidence } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import type { CertificateFacts, ServerValues } from './server-values.ts'

const SHARE_OF_TIME = 0.5

export const certificate: EvidenceSource<ServerValues['certificate']> = {
  reads: 'the TLS handshake',
  collect: async ({ target, remainingMs }) => {
    const { tls, addresses } = target.endpoint
    if (tls === undefined) return notAvailable('the connection is not encrypted')
    return await shownBy(addresses[0], tls, remainingMs * SHARE_OF_TIME)
  },
}

/** Looked at, not judged: an expired one is shown as well. */
async function shownBy(address: Address, tls: TlsOptions, timeoutMs: number): Promise<Evidence<CertificateFacts>> {
  const host = address.kind === 'tcp' ? (await lookup(address.host))[0] : undefined
  const where = address.kind === 'tcp' ? { host: host ?? address.host, port: address.port } : { path: address.path }
  const { ca, ...settings } = tlsAt(address, tls) ?? {}
  const servername = settings.servername ?? (address.kind === 'tcp' ? nameFor(address.host) : undefined)
  return await new Promise((resolve) => {
    const socket = connect({
      ...settings,
      ...where,
      ...(ca === undefined ? {} : { ca: [ca].flat() }),
      ...(servername === undefined ? {} : { servername }),
      rejectUnauthorized: false,
      timeout: timeoutMs,
    })
    socket.once('secureConnect', () => {
      const { valid_to: validTo, subject, issuer } = socket.getPeerCertificate()
      resolve(known({ subject: nameIn(subject), issuer: nameIn(issuer), expiresAt: Date.parse(validTo) }))
      socket.destroy()
    })
    socket.on('timeout', () => socket.destroy(new Error(`no handshake within ${Math.round(timeoutMs)} ms`)))
    socket.on('error', (error) => resolve(notAvailable(`no certificate was shown: ${describeError(error)}`)))
  })
}

/** Not for addresses: the extension takes names only. */
function nameFor(host: string): string | undefined {
  return /^[\d.]+$|:/.test(host) ? undefined : host
}

function nameIn(names: Readonly<NodeJS.Dict<string | string[]>> | undefined): string {
  return String(names?.['CN'] ?? names?.['O'] ?? 'without a name')
}
