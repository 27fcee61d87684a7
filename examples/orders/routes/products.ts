/** The catalogue: everybody may look, the operator changes prices. */
import type { FastifyInstance } from 'fastify'
import type { Guard } from '../admin.ts'
import type { Products } from '../products.ts'
import { priceSchema, productIdSchema } from '../product-schema.ts'

export interface ProductRoutesOptions {
  readonly products: Pick<Products, 'get' | 'list' | 'setPrice'>
  readonly guard: Guard
}

export function productRoutes(app: FastifyInstance, { products, guard }: ProductRoutesOptions): void {
  app.get('/api/products', async () => ({ products: await products.list() }))

  app.get<{ Params: { id: string } }>(
    '/api/products/:id',
    { schema: { params: productIdSchema } },
    async (request, reply) => {
      const { id } = request.params
      const product = await products.get(id)
      return product ?? reply.code(404).send({ error: 'not_found', message: `There is no product ${id}.` })
    },
  )

  app.put<{ Params: { id: string }; Body: { readonly sun_per_unit: number } }>(
    '/api/products/:id/price',
    { schema: { params: productIdSchema, body: priceSchema }, onRequest: guard },
    async (request, reply) => {
      const { id } = request.params
      const changed = await products.setPrice(id, request.body.sun_per_unit)
      if (changed === undefined)
        return reply.code(404).send({ error: 'not_found', message: `There is no product ${id}.` })
      return { ...changed.product, cache: changed.cache }
    },
  )
}
