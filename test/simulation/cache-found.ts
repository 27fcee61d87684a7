/**
 * Schedules in which the model once found a reader of what was too old, as small as they could be made: each of them is played
 * every time, whatever becomes of the seeds.
 */
import type { Schedule, Step } from './cache-model.ts'

export interface Found {
  /** What went wrong. */
  readonly name: string
  readonly schedule: Schedule
}

type Delay = Schedule['delays'][number]

const AT_ONCE: Delay = { requestMs: 0, replyMs: 0, pushMs: 0 }
const LONG: Schedule['lives'] = { ttlMs: 600_000, staleMs: 0 }
const SLOW: Delay = { requestMs: 9, replyMs: 9, pushMs: 0 }

export const FOUND: readonly Found[] = [
  {
    name: 'a reader joins a load that began before Redis was used again',
    schedule: {
      lives: LONG,
      delays: [AT_ONCE, AT_ONCE, { requestMs: 0, replyMs: 3, pushMs: 0 }],
      steps: [
        then(0, { kind: 'restart', data: 'old' }),
        then(0, { kind: 'read', process: 2, key: 'b', loadMs: 400 }),
        then(0, { kind: 'change', process: 0, key: 'b' }),
        then(42, { kind: 'read', process: 2, key: 'b', loadMs: 0 }),
      ],
    },
  },
  {
    name: 'two processes delete a tag at once, and the slower one believes that it was the last',
    schedule: {
      lives: LONG,
      delays: [AT_ONCE, SLOW, AT_ONCE],
      steps: [
        then(0, { kind: 'change', process: 1, key: 'tag2' }),
        then(20, { kind: 'read', process: 0, key: 'a', loadMs: 0 }),
        then(0, { kind: 'read', process: 0, key: 'tag2', loadMs: 0 }),
        then(0, { kind: 'change', process: 0, key: 'tag1' }),
        then(0, { kind: 'read', process: 1, key: 'tag2', loadMs: 0 }),
      ],
    },
  },
  {
    name: 'a copy whose tag another process has deleted is given while a better one is loaded',
    schedule: {
      lives: { ttlMs: 60, staleMs: 500 },
      delays: [AT_ONCE, AT_ONCE, AT_ONCE],
      steps: [
        then(0, { kind: 'read', process: 0, key: 'tag2', loadMs: 0 }),
        then(0, { kind: 'read', process: 0, key: 'tag2', loadMs: 0 }),
        then(0, { kind: 'change', process: 1, key: 'tag2' }),
        then(150, { kind: 'read', process: 0, key: 'tag2', loadMs: 0 }),
      ],
    },
  },
  {
    name: 'Redis is flushed between the answer with a value and the question for its tag',
    schedule: {
      lives: LONG,
      delays: [AT_ONCE, { requestMs: 0, replyMs: 3, pushMs: 9 }, AT_ONCE],
      steps: [
        then(0, { kind: 'read', process: 0, key: 'tag2', loadMs: 0 }),
        then(0, { kind: 'change', process: 0, key: 'tag2' }),
        then(150, { kind: 'read', process: 1, key: 'tag2', loadMs: 0 }),
        then(0, { kind: 'foreign', command: 'FLUSHALL', key: 'a' }),
      ],
    },
  },
]

function then(afterMs: number, step: Step): Schedule['steps'][number] {
  return { afterMs, step }
}
