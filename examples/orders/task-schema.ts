/** What requests about tasks must look like. */
import { UUID_PATTERN } from './uuid.ts'

const STATES = ['scheduled', 'ready', 'running', 'done', 'dead', 'cancelled'] as const

export const taskListSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'string', pattern: '^([1-9][0-9]?|100)$' },
    cursor: { type: 'string', pattern: UUID_PATTERN },
    state: { type: 'string', enum: STATES },
    name: { type: 'string', minLength: 1, maxLength: 200 },
  },
} as const

export const taskIdSchema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', pattern: UUID_PATTERN } },
} as const

export const redriveSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    limit: { type: 'integer', minimum: 1, maximum: 1000 },
  },
} as const
