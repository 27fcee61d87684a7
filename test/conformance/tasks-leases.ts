/** Attempts that lose their lease: killed, paused, cut off. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { TaskError } from '../../src/errors.ts'
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

  test('a worker that is killed in the middle leaves neither effect nor completion, and another one takes over', async () => {
    const queue = subject.newQueue()
    const effect = async (_: null, { tx, id, attempt }: TaskContext): Promise<number> => {
      await tx.query('INSERT INTO effects (task, attempt) VALUES ($1, $2)', [id, attempt])
      return attempt
    }
    const hanging = {
      work: {
        run: async (_: null, context: TaskContext) => {
          await effect(null, context)
          await new Promise(() => undefined)
        },
      },
    }
    const killed = await subject.process(hanging, { queue, leaseMs: 600 })
    const { id } = await killed.tasks.start('work', null)
    await eventually('it is under way', async () => (await killed.tasks.get(id))?.state === 'running')
    await killed.vanish()
    const heir = await subject.process({ work: { run: effect } }, { queue })
    assert.deepEqual(await heir.tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 2 })
    const { rows } = await heir.database.query('SELECT attempt FROM effects WHERE task = $1', [id])
    assert.deepEqual(rows, [{ attempt: 2 }])
    assert.equal(heir.tasks.stats.leaseExpired, 1)
  })

  test('a task whose workers die one after the other is dead after its last attempt', async () => {
    const queue = subject.newQueue()
    const { tasks, database } = await subject.process({ work: { run: () => new Promise(() => undefined) } }, { queue })
    const { id } = await tasks.start('work', null, { maxAttempts: 2 })
    for (const attempt of [1, 2]) {
      await eventually(`attempt ${attempt}`, async () => (await tasks.get(id))?.attempt === attempt)
      await expire({ database }, id)
    }
    const result = await tasks.result(id, { waitMs: 10_000 })
    assert.ok(result.state === 'dead')
    assert.match(result.error, /The lease of attempt 2 ran out/)
  })

  test('a task that was to be cancelled when its worker died is cancelled, and kept no longer than others are', async () => {
    const { tasks, database } = await subject.process(
      { work: { run: () => new Promise(() => undefined) } },
      { queue: subject.newQueue(), keepMs: 300, keepDeadMs: 3_600_000 },
    )
    const { id } = await tasks.start('work', null)
    await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
    await database.query('UPDATE evenkeel_tasks SET cancel_requested = TRUE WHERE id = $1', [id])
    await expire({ database }, id)
    await eventually('its row is gone', async () => (await tasks.get(id)) === undefined)
  })

  test('an attempt that has lost its lease hears of it by its signal', async () => {
    const lost = Promise.withResolvers<unknown>()
    const { tasks, database } = await subject.process(
      {
        work: {
          run: (_: null, { signal }) =>
            new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => {
                lost.resolve(signal.reason)
                reject(signal.reason as Error)
              }),
            ),
        },
      },
      { queue: subject.newQueue(), leaseMs: 900, mode: 'db' },
    )
    const { id } = await tasks.start('work', null)
    await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
    const other = 'ffffffff-ffff-7fff-bfff-ffffffffffff'
    await database.query('UPDATE evenkeel_tasks SET lease_token = $2 WHERE id = $1', [id, other])
    const reason = await lost.promise
    assert.ok(reason instanceof TaskError && reason.code === 'TASK_LEASE_LOST', String(reason))
    await eventually('its end is refused', () => tasks.stats.fenced === 1)
  })

  test('a long task keeps its lease for as long as it runs', async () => {
    const { tasks } = await subject.process(
      { work: { run: () => delay(1500, 'in one go') } },
      { queue: subject.newQueue(), leaseMs: 600 },
    )
    const { id } = await tasks.start('work', null)
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 'in one go' })
    const task = await tasks.get(id)
    assert.equal(task?.attempt, 1)
  })

  test('an attempt that takes too long fails, and a function that ignores its signal does not keep the hand', async () => {
    const { tasks } = await subject.process(
      {
        deaf: { run: () => new Promise(() => undefined), timeoutMs: 50, retry: { attempts: 1 } },
        next: { run: () => 'next' },
      },
      { queue: subject.newQueue(), concurrency: 1, abandonMs: 50 },
    )
    const deaf = await tasks.start('deaf', null)
    const next = await tasks.start('next', null)
    assert.deepEqual(await tasks.result(next.id, { waitMs: 10_000 }), { state: 'done', value: 'next' })
    const result = await tasks.result(deaf.id, { waitMs: 10_000 })
    assert.ok(result.state === 'dead')
    assert.match(result.error, /longer than 50 ms/)
    assert.equal(tasks.stats.abandoned, 1)
  })
}
