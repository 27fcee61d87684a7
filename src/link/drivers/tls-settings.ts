/**
 * The TLS settings of a client that was handed in. Certificates may be given as Buffers there; the link has texts.
 */
import type { TlsOptions } from '../driver.ts'

/** As in `node:tls`, as far as it is read. */
export interface TlsSettings {
  readonly ca?: unknown
  readonly cert?: unknown
  readonly key?: unknown
  readonly passphrase?: string | undefined
  readonly servername?: string | undefined
  readonly rejectUnauthorized?: boolean | undefined
}

export function tlsOptionsOf(settings: TlsSettings): TlsOptions {
  const ca = [settings.ca].flat().map(pem).filter(isPresent)
  const cert = pem(settings.cert)
  const key = pem(settings.key)
  const { passphrase, servername, rejectUnauthorized } = settings
  return {
    ...(ca.length === 0 ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  }
}

function pem(value: unknown): string | undefined {
  if (Buffer.isBuffer(value)) return value.toString()
  return typeof value === 'string' ? value : undefined
}

function isPresent(text: string | undefined): text is string {
  return text !== undefined
}
