/** What requests about products must look like. */

/** What stands in a URL and in a key of the cache. */
const PRODUCT_ID = '^[a-z0-9][a-z0-9-]{0,63}$'
const MAX_SUN = 1_000_000_000

export const productIdSchema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', pattern: PRODUCT_ID } },
} as const

export const priceSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['sun_per_unit'],
  properties: { sun_per_unit: { type: 'integer', minimum: 1, maximum: MAX_SUN } },
} as const
