/** Attempts that lose their lease: killed, paused, cut off. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fence } from '../../src/tasks/fence.ts'
import type { TaskContext } from '../../src/tasks/index.ts'
import { eventually } from '../support/wait.ts'
import type { TasksSubject, TestProcess } from './tasks-subject.ts'

/** Long enough that no beat of the heart comes in between. */
const LEASE_MS = 60_000

interface Duel {
  readonly id: string
  /** The first holder, who comes too late. */
  readonly zombie: TestProcess<never>
  /** Lets the zombie's function end, and waits until its end was accepted or refused. */
  late(): Promise<void>
  readonly effects: () => Promise<unknown[]>
}

/** One process holds a task and hangs; its lease runs out, and another process does the task. */
async function duel(subject: TasksSubject): Promise<Duel> {
  const queue = subject.newQueue()
  const gate = Promise.withResolvers<void>()
  const effect = async (note: string, { tx, id, attempt }: TaskContext): Promise<string> => {
    await tx.query('INSERT INTO effects (task, attempt, note) VALUES ($1, $2, $3)', [id, attempt, note])
    return note
  }
  const hanging = {
    work: {
      run: async (_: null, context: TaskContext) => {
        await gate.promise
        return effect('zombie', context)
      },
    },
  }
  const zombie = await subject.process(hanging, { queue, leaseMs: LEASE_MS, concurrency: 1 })
  const { id } = await zombie.tasks.start('work', null)
  await eventually('the first attempt runs', async () => (await zombie.tasks.get(id))?.state === 'running')
  const heir = await subject.process({ work: { run: (_: null, context) => effect('heir', context) } }, { queue })
  await expire(zombie, id)
  assert.deepEqual(await heir.tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 'heir' })
  return {
    id,
    zombie,
    late: async () => {
      gate.resolve()
      const { stats } = zombie.tasks
      await eventually('the late end is decided', () => stats.fenced + stats.done > 0)
    },
    effects: async () => {
      const { rows } = await heir.database.query('SELECT note FROM effects WHERE task = $1 ORDER BY attempt', [id])
      return rows.map(({ note }) => note)
    },
  }
}

/** The lease of a running task ends now, by the database's clock. */
async function expire({ database }: Pick<TestProcess<never>, 'database'>, id: string): Promise<void> {
  const past = new Date(Date.now() - 60_000)
  await database.query('UPDATE evenkeel_tasks SET lease_until = $2 WHERE id = $1', [id, past])
}

export function leaseTests(subject: TasksSubject): void {
  test('a zombie that wakes up after its lease changes nothing: neither the effect nor the result', async () => {
    const { id, zombie, late, effects } = await duel(subject)
    await late()
    assert.equal(zombie.tasks.stats.fenced, 1)
    assert.deepEqual(await effects(), ['heir'])
    assert.deepEqual(await zombie.tasks.result(id), { state: 'done', value: 'heir' })
  })

  test('without the fence it would: the effect happens twice', async () => {
    fence.removed = true
    try {
      const { late, effects } = await duel(subject)
      await late()
      assert.deepEqual(await effects(), ['zombie', 'heir'])
    } finally {
      fence.removed = false
    }
  })
}
