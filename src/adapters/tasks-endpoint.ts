/**
 * Tasks for workers in other languages, over HTTP: claim, renew, and end attempts behind the same fence. Takes a web standard
 * `Request` and answers with a `Response`, so it fits under any server.
 *
 *     POST …/claim          { ids?, names?, atMost? }        → 200 { tasks: [{ id, name, payload, attempt, token, leaseMs }] }
 *     POST …/{id}/renew     { attempt, token }               → 200 { state: 'held' | 'cancelled' }    409: lost
 *     POST …/{id}/complete  { attempt, token, result? }      → 200 { state: 'done' }                  409: too late
 *     POST …/{id}/fail      { attempt, token, error }        → 200 { state: 'scheduled' | 'dead' … }  409: too late
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { DatabaseError, OptionError } from '../errors.ts'
import type { OutsideLease, OutsideWork, Tasks } from '../tasks/index.ts'

export interface TasksEndpointOptions {
  /** What workers send as `Authorization: Bearer …`; at least 16 characters. */
  readonly secret: string
  /** A body may be so large. @default 1048576 */
  readonly maxBytes?: number
}

const CLAIM_AT_MOST = 1000

/** @throws OptionError when the secret is too short */
export function tasksEndpoint(
  { outside }: Pick<Tasks, 'outside'>,
  { secret, maxBytes = 1_048_576 }: TasksEndpointOptions,
): (request: Request) => Promise<Response> {
  if (secret.length < 16) throw new OptionError('secret', "Expected 'secret' to have at least 16 characters.")
  return async (request) => {
    if (!isAuthorized(request, secret)) return answer(401, { error: 'Unauthorized.' })
    if (request.method !== 'POST') return answer(405, { error: 'Only POST is answered here.' })
    try {
      return await act(outside, request, maxBytes)
    } catch (error) {
      if (error instanceof BadRequest) return answer(error.status, { error: error.message })
      if (error instanceof DatabaseError) return answer(isRefused(error) ? 422 : 503, { error: error.message })
      throw error
    }
  }
}

/** The database refuses what is in the request: asking again changes nothing. Whatever else it says, it is away, or in trouble. */
function isRefused({ code }: DatabaseError): boolean {
  return code === 'DATABASE_CONSTRAINT' || code === 'DATABASE_STATEMENT'
}

class BadRequest extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function act(outside: OutsideWork, request: Request, maxBytes: number): Promise<Response> {
  const parts = new URL(request.url).pathname.split('/').filter((part) => part !== '')
  const [id = '', action = ''] = parts.slice(-2)
  const body = await bodyOf(request, maxBytes)
  if (action === 'claim') return answer(200, { tasks: await outside.claim(wishIn(body)) })
  const lease = leaseIn(id, body)
  if (action === 'renew') return ended(await outside.renew(lease))
  if (action === 'complete') return ended((await outside.complete(lease, body['result'])) ? 'done' : 'lost')
  if (action === 'fail') return ended(await outside.fail(lease, textIn(body['error'])))
  return answer(404, { error: 'Known are claim, renew, complete and fail.' })
}

function ended(state: string): Response {
  return answer(state === 'lost' ? 409 : 200, { state })
}

async function bodyOf(request: Request, maxBytes: number): Promise<Record<string, unknown>> {
  const bytes = await bytesOf(request, maxBytes)
  try {
    const value: unknown = JSON.parse(bytes.toString() || '{}')
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new BadRequest(400, `The body is no JSON: ${String(cause)}`)
  }
  throw new BadRequest(400, 'The body is no JSON object.')
}

/** Reads no further than it may: a body that is too large is refused by what it says of itself, or in the middle. */
async function bytesOf(request: Request, maxBytes: number): Promise<Buffer> {
  const tooLarge = new BadRequest(413, `A body may have ${maxBytes} bytes.`)
  if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > maxBytes) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function wishIn({ ids, names, atMost }: Record<string, unknown>): Parameters<OutsideWork['claim']>[0] {
  return {
    ...(ids === undefined ? {} : { ids: textsIn('ids', ids) }),
    ...(names === undefined ? {} : { names: textsIn('names', names) }),
    ...(atMost === undefined ? {} : { atMost: wholeIn('atMost', atMost, CLAIM_AT_MOST) }),
  }
}

function leaseIn(id: string, { attempt, token }: Record<string, unknown>): OutsideLease {
  if (typeof token !== 'string' || !UUID.test(token) || !UUID.test(id))
    throw new BadRequest(400, "Expected the id in the path and 'token' to be what claim has answered.")
  return { id, token, attempt: wholeIn('attempt', attempt, 2 ** 31 - 1) }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function textIn(error: unknown): string {
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? 'The worker gave no reason.')
}

function textsIn(name: string, value: unknown): string[] {
  if (Array.isArray(value) && value.length <= CLAIM_AT_MOST && value.every((one) => typeof one === 'string'))
    return value
  throw new BadRequest(400, `Expected '${name}' to be a list of at most ${CLAIM_AT_MOST} texts.`)
}

function wholeIn(name: string, value: unknown, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new BadRequest(400, `Expected '${name}' to be a whole number from 1 to ${max}.`)
}

/** Compares digests: neither the length nor the first difference shows in the time it takes. */
function isAuthorized(request: Request, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const given = request.headers.get('authorization') ?? ''
  return timingSafeEqual(digest(given), digest(`Bearer ${secret}`))
}

function answer(status: number, body: unknown): Response {
  return Response.json(body, { status })
}
