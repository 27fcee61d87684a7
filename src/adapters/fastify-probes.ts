/**
 * `/livez`, `/readyz`, `/health` and `/metrics` as a plugin of Fastify 4 and 5.
 *
 *     await app.register(fastifyProbes, { keel })
 *     await app.register(fastifyProbes, { keel, prefix: '/internal' })
 */
import type { FastifyInstance } from 'fastify'
import { createProbes, type ProbedKeel, type ProbesOptions } from '../telemetry/index.ts'

export interface FastifyProbesOptions extends ProbesOptions {
  readonly keel: ProbedKeel
  /** Put in front of each path, by Fastify itself. @default none */
  readonly prefix?: string
}

/** The routes see neither the hooks nor the limits of their siblings. @throws OptionError that names the option which cannot work */
export function fastifyProbes(
  app: FastifyInstance,
  { keel, prefix: _prefix, ...options }: FastifyProbesOptions,
): Promise<void> {
  const probes = createProbes(keel, options)
  for (const path of probes.paths)
    app.get(path, async (_request, reply) => {
      const given = await probes.answer(path)
      if (given === undefined) throw new Error(`Nobody answers ${path}`)
      return reply.code(given.status).type(given.contentType).header('cache-control', 'no-store').send(given.body)
    })
  return Promise.resolve()
}
