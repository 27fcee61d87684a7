/** Can we be served by this HTTP(S) endpoint now? Object storage (S3, MinIO) is one. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { describeError, type TlsOptions } from '../../link/index.ts'
import type { Finding } from '../diagnosis.ts'
import { Found, networkFinding, serviceFinding } from '../findings.ts'
import type { Examination, Explain, Seen } from './examination.ts'
import { reach } from './network.ts'

/** Without credentials an object store answers 403 at its root: it is there. */
const NOT_FOR_US = 400
const SERVER_ERROR = 500

export async function probeHttp(url: URL, tls: TlsOptions | undefined, examination: Examination): Promise<void> {
  const encrypted = url.protocol === 'https:'
  const port = Number(url.port === '' ? (encrypted ? 443 : 80) : url.port)
  const place = { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port } as const
  await reach(examination, [place], serviceFinding)
  const signal = AbortSignal.timeout(Math.ceil(examination.remainingMs))
  await examination.look('http', () => get(url, { tls, signal }), httpFinding(encrypted))
}

interface Request {
  readonly tls: TlsOptions | undefined
  /** Ends it. */
  readonly signal: AbortSignal
}

async function get(url: URL, request: Request): Promise<Seen<undefined>> {
  const status = await statusOf(url, request)
  const detail = `GET ${url.pathname}: ${status}`
  if (status >= SERVER_ERROR) throw new Found({ ...SICK, error: detail })
  const warning = status >= NOT_FOR_US ? { ...REFUSED, error: detail } : undefined
  return { value: undefined, detail, facts: { status }, warning }
}

function statusOf(url: URL, { tls: { ca, ...settings } = {}, signal }: Request): Promise<number> {
  const options = { agent: false, signal, ...settings, ...(ca === undefined ? {} : { ca: [ca].flat() }) } as const
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestTls(url, options) : requestPlain(url, { agent: false, signal })
    request.on('error', reject)
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    request.end()
  })
}

function httpFinding(encrypted: boolean): Explain {
  const network = networkFinding('handshake', encrypted)
  return async (error, inquiryMs) => {
    if (error instanceof Found) return error.finding
    const { code } = await network(error, inquiryMs)
    return { ...SILENT, code: code.startsWith('tls-') ? code : SILENT.code, error: describeError(error) }
  }
}

const SICK: Finding = {
  code: 'http-error',
  error: undefined,
  meaning: 'The server answers that it cannot serve now.',
  nextStep: 'Look at its log; behind a proxy, whether the server behind it runs.',
}
const REFUSED: Finding = {
  code: 'http-refused',
  error: undefined,
  meaning: 'The server is there and refuses this request, as object stores do without credentials.',
  nextStep: 'Nothing, if that is meant; else check a path that answers 200, such as /minio/health/ready.',
}
const SILENT: Finding = {
  code: 'http-no-answer',
  error: undefined,
  meaning: 'The port accepts connections, and no HTTP answer comes.',
  nextStep: 'Check scheme and port: http:// or https://? Then whether the server hangs.',
}
