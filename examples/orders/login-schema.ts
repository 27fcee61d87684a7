/** What a login must look like. */

/** More is no password but work for us. */
const MAX_LENGTH = 200

export const loginSchema = {
  type: 'object',
  required: ['user', 'password'],
  additionalProperties: false,
  properties: {
    user: { type: 'string', minLength: 1, maxLength: MAX_LENGTH },
    password: { type: 'string', minLength: 1, maxLength: MAX_LENGTH },
  },
} as const
