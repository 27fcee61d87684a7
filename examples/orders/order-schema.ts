/** What a request must look like; everything else is answered 400 with the field that is wrong. */
import { ORDER_STATUSES } from './order.ts'
import { isTronAddress } from './tron-address.ts'
import { UUID_PATTERN } from './uuid.ts'

/** More energy than the whole network has in a day. */
const MAX_ENERGY = 1_000_000_000_000

export const orderRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['user_id', 'energy_amount', 'duration', 'receive_address'],
  properties: {
    user_id: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    energy_amount: { type: 'integer', minimum: 1, maximum: MAX_ENERGY },
    duration: { type: 'string', format: 'rental-duration' },
    receive_address: { type: 'string', format: 'tron-address' },
  },
} as const

export const orderIdSchema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', pattern: UUID_PATTERN } },
} as const

export const orderListSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'string', pattern: '^([1-9][0-9]?|100)$' },
    cursor: { type: 'string', pattern: UUID_PATTERN },
    status: { type: 'string', enum: ORDER_STATUSES },
  },
} as const

const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 }
const MAX_MINUTES = 30 * 1440

/** `30m`, `1h`, `3d`: from a minute to 30 days. */
export function isRentalDuration(text: string): boolean {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? []
  return digits !== '' && Number(digits) * (MINUTES[unit] ?? Number.NaN) <= MAX_MINUTES
}

/** The formats that the schemas name. */
export const formats = { 'rental-duration': isRentalDuration, 'tron-address': isTronAddress }

const EXPECTED: Readonly<Record<string, string>> = {
  'rental-duration': 'must be a number and m, h or d, such as 30m, 1h or 3d, and at most 30d',
  'tron-address': 'must be a TRON address: T and 33 more base58 characters, with a correct checksum',
  [UUID_PATTERN]: 'must be an id, such as 01993b1e-8c4a-7cc0-9d6b-3f1f0b8a4e21',
  '^([1-9][0-9]?|100)$': 'must be a whole number from 1 to 100',
}

/** What a validator tells of a fault. */
export interface SchemaFault {
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
}

/** A fault in words, such as `user_id must be integer`. */
export function faultText(fault: SchemaFault, where: string): string {
  const { instancePath, keyword, params, message = 'is wrong' } = fault
  const field = instancePath === '' ? `the ${where}` : instancePath.slice(1).replaceAll('/', '.')
  if (keyword === 'additionalProperties') return `'${String(params['additionalProperty'])}' is not known here`
  if (keyword === 'enum') return `${field} must be one of ${String(params['allowedValues']).replaceAll(',', ', ')}`
  return `${field} ${EXPECTED[String(params['format'] ?? params['pattern'])] ?? message}`
}
