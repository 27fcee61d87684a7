/** What may be asked of the notifications. */

export const notificationsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    user_id: { type: 'string', pattern: '^\\d{1,16}$' },
    after: { type: 'string', maxLength: 2000 },
  },
} as const
