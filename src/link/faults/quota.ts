/** Limits that a hosting provider puts on top of Redis. */
import type { FaultEntries } from './fault.ts'

export const QUOTA = {
  requests: {
    code: 'request-quota',
    example: 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.',
    reaction: 'over-quota',
    executed: 'no',
    retryable: true,
    meaning: 'The requests that the provider grants for this day or month are used up.',
    nextStep:
      'Raise the plan or the budget in the console of the provider, or wait for the period to end. The link sends no heartbeats meanwhile.',
    replies: [/^ERR max (daily |monthly )?requests? limit exceeded/i],
  },
  capacity: {
    code: 'capacity-quota',
    example: 'ERR DB capacity quota exceeded',
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'The database is as large as the provider grants, so this write was refused.',
    nextStep: 'Raise the plan, delete keys, or give them a time to live.',
    replies: [/^ERR DB capacity quota exceeded/i, /^ERR max data size exceeded/i],
  },
  size: {
    code: 'size-limit',
    example: 'ERR max request size exceeded',
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'This key, value or request is larger than the server takes.',
    nextStep:
      'Store less under one key, compress it or cut it into parts. It is a limit of the plan, or `proto-max-bulk-len` on a server of your own.',
    replies: [
      /^ERR max (request|single record|key) size exceeded/i,
      /^ERR string exceeds maximum allowed size/i,
      /^ERR Protocol error: invalid bulk length/i,
    ],
  },
} as const satisfies FaultEntries
