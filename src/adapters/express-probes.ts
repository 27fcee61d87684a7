/**
 * `/livez`, `/readyz`, `/health` and `/metrics` as a middleware of Express 4 and 5, Connect, or a plain `node:http` server.
 *
 *     app.use(expressProbes(keel))                       // before whatever limits or authenticates
 *     app.use('/internal', expressProbes(keel))          // /internal/livez, …
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createProbes, type ProbeAnswer, type ProbedKeel, type ProbesOptions } from '../telemetry/index.ts'

export type ProbesMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

/** Passes on whatever is not GET or HEAD of one of its paths. @throws OptionError that names the option which cannot work */
export function expressProbes(keel: ProbedKeel, options: ProbesOptions = {}): ProbesMiddleware {
  const probes = createProbes(keel, options)
  return (request, response, next) => {
    const { method = '', url = '' } = request
    const answer = method === 'GET' || method === 'HEAD' ? probes.answer(url.split('?', 1)[0] ?? '') : undefined
    if (answer === undefined) next()
    else void answer.then((given) => write(response, given, method === 'HEAD'))
  }
}

function write(response: ServerResponse, { status, contentType, body }: ProbeAnswer, headOnly: boolean): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(headOnly ? undefined : body)
}
