/** Redis is late, dead, frozen, full, empty or back with old data: tasks are accepted, and run once, and soon. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { defineTasks } from 'evenkeel/tasks'
import { RedisServer } from '../support/redis-server.ts'
import { introduction, ScriptedServer } from '../support/scripted-server.ts'
import { eventually } from '../support/wait.ts'
import type { TasksSubject } from './tasks-subject.ts'

/** Counts how often each task ran. */
class Ledger {
  readonly runs = new Map<string, number>()

  readonly definitions = defineTasks({
    note: {
      run: (_: unknown, { id }) => {
        this.runs.set(id, (this.runs.get(id) ?? 0) + 1)
      },
    },
  })

  async each(ids: readonly string[]): Promise<void> {
    await eventually(`${ids.length} tasks have run`, () => ids.every((id) => this.runs.has(id)) || undefined, {
      timeoutMs: 30_000,
    })
    const twice = ids.filter((id) => this.runs.get(id) !== 1)
    assert.deepEqual(twice, [], 'ran more than once')
  }
}

export function redisTests(subject: TasksSubject): void {
  const key = (queue: string): string => `evenkeel:tasks:${queue}`

  test('Redis is down at boot: tasks run at once, by the database, and by Redis within a second of its return', async () => {
    await subject.redis.kill()
    const ledger = new Ledger()
    const { tasks, link } = await subject.process(ledger.definitions, {
      queue: subject.newQueue(),
      redis: subject.redis.url,
      sweepMs: 60_000,
    })
    const started = await tasks.start('note', null)
    assert.equal(started.via, 'database')
    assert.ok(started.reason)
    await ledger.each([started.id])
    assert.equal((await tasks.get(started.id))?.via, 'database')
    await subject.redis.start()
    await eventually('the link is up', () => link?.health.state === 'up')
    const back = await tasks.start('note', null)
    assert.equal(back.via, 'redis')
    await ledger.each([back.id])
    assert.equal((await tasks.get(back.id))?.via, 'redis')
  })

  test('the process crashes between COMMIT and hint: the sweep finds the task', async () => {
    const ledger = new Ledger()
    const queue = subject.newQueue()
    const producer = await subject.process(ledger.definitions, { queue, worker: false, mode: 'off' })
    const worker = await subject.process(ledger.definitions, { queue, hintGraceMs: 300 })
    const { id, via } = await producer.tasks.start('note', null)
    assert.equal(via, 'sweep')
    await ledger.each([id])
    assert.equal((await worker.tasks.get(id))?.via, 'sweep')
  })

  test('a hint that came twice, or of a task that is over, or of none, does nothing', async () => {
    const ledger = new Ledger()
    const queue = subject.newQueue()
    const producer = await subject.process(ledger.definitions, { queue, worker: false })
    const { id } = await producer.tasks.start('note', null)
    const old = Array.from({ length: 2000 }, () => randomUUID())
    for (let from = 0; from < old.length; from += 500)
      await subject.redis.command('RPUSH', key(queue), ...old.slice(from, from + 500))
    await subject.redis.command('RPUSH', key(queue), id, id, 'garbage', '')
    const worker = await subject.process(ledger.definitions, { queue, sweepMs: 60_000 })
    await ledger.each([id])
    const later = await producer.tasks.start('note', null)
    await ledger.each([id, later.id])
    await eventually('the old ids are gone', async () => (await subject.redis.command('LLEN', key(queue))) === 0)
    await eventually('both are written down', () => worker.tasks.stats.done === 2)
  })

  test('a transaction that rolls back leaves no hint behind', async () => {
    const queue = subject.newQueue()
    const { tasks, database } = await subject.process(new Ledger().definitions, { queue, worker: false })
    await assert.rejects(
      database.transaction(async (tx) => {
        await tasks.start('note', null, { tx })
        throw new Error('no')
      }),
    )
    await tasks.start('note', null)
    await eventually('the hint of the other one', async () => (await subject.redis.command('LLEN', key(queue))) === 1)
  })

  for (const answer of [
    "-OOM command not allowed when used memory > 'maxmemory'.",
    "-READONLY You can't write against a read only replica.",
    '-LOADING Redis is loading the dataset in memory',
    '-NOAUTH Authentication required.',
    '-MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
    '-NOPERM this user has no permissions to run the lpush command',
    null,
  ])
    test(`Redis answers a hint with ${answer === null ? 'nothing' : answer.split(' ', 1)[0]}: the database wakes the worker`, async () => {
      await using redis = await ScriptedServer.start((command) =>
        command[0] === 'LPUSH' ? answer : (introduction(command) ?? (command[0] === 'BLMPOP' ? null : '$-1')),
      )
      const ledger = new Ledger()
      const { tasks, link } = await subject.process(ledger.definitions, {
        queue: subject.newQueue(),
        redis: redis.url,
        sweepMs: 60_000,
      })
      await eventually('the link is up', () => link?.health.can.write)
      const { id } = await tasks.start('note', null)
      await ledger.each([id])
      // The first look into the table may have been faster than the silence was long.
      assert.notEqual((await tasks.get(id))?.via, 'redis')
      await eventually('it counts as failed', () => tasks.stats.hintFailed === 1)
    })

  test('the list of hints is cut off during a long absence of workers, and every task runs all the same', async () => {
    const ledger = new Ledger()
    const queue = subject.newQueue()
    const { tasks } = await subject.process(ledger.definitions, { queue, worker: false, maxHints: 5 })
    const started = await Promise.all(Array.from({ length: 40 }, () => tasks.start('note', null)))
    for (let more = 0; more < 3; more++) started.push(await tasks.start('note', null))
    await eventually('it is cut', async () => Number(await subject.redis.command('LLEN', key(queue))) <= 6)
    await subject.process(ledger.definitions, { queue })
    await ledger.each(started.map(({ id }) => id))
  })

  test('Redis is frozen: nobody waits for it, and the tasks run', async () => {
    const ledger = new Ledger()
    const { tasks } = await subject.process(ledger.definitions, { queue: subject.newQueue(), sweepMs: 60_000 })
    const healthy = await medianOf(20, () => tasks.start('note', null))
    subject.redis.freeze()
    try {
      const started: string[] = []
      const frozen = await medianOf(20, async () => started.push((await tasks.start('note', null)).id))
      await ledger.each(started)
      // A start that waited for Redis would take at least the hint's deadline of 100 ms.
      assert.ok(frozen < Math.max(80, 4 * healthy), `${frozen} ms while frozen, ${healthy} ms before`)
    } finally {
      subject.redis.thaw()
    }
  })

  test('hints are lost with a worker, a failover or the data of Redis: the sweep finds their tasks', async () => {
    const ledger = new Ledger()
    const queue = subject.newQueue()
    const producer = await subject.process(ledger.definitions, { queue, worker: false })
    const started = [await producer.tasks.start('note', null), await producer.tasks.start('note', null)]
    await eventually('the hints', async () => (await subject.redis.command('LLEN', key(queue))) === 2)
    await subject.redis.command('RPOP', key(queue))
    await subject.redis.restart({ empty: true })
    const { tasks, link } = await subject.process(ledger.definitions, { queue, hintGraceMs: 300 })
    await ledger.each(started.map(({ id }) => id))
    await eventually('the link is up', () => link?.health.state === 'up')
    await eventually('a task gets there by Redis', async () => {
      const { id } = await tasks.start('note', null)
      await ledger.each([id])
      return (await tasks.get(id))?.via === 'redis'
    })
  })

  test('Redis flaps: every task runs once', async () => {
    const ledger = new Ledger()
    const { tasks } = await subject.process(ledger.definitions, { queue: subject.newQueue(), hintGraceMs: 300 })
    const ids: string[] = []
    for (let round = 0; round < 5; round++) {
      await subject.redis.kill()
      for (let n = 0; n < 10; n++) ids.push((await tasks.start('note', null)).id)
      await subject.redis.start({ empty: round % 2 === 0 })
      for (let n = 0; n < 10; n++) ids.push((await tasks.start('note', null)).id)
    }
    await ledger.each(ids)
    assert.ok(tasks.stats.notified <= ids.length, 'at most one word per task')
  })

  test('sweeps and hints race for the same tasks, and each runs once', async () => {
    const ledger = new Ledger()
    const queue = subject.newQueue()
    await subject.process(ledger.definitions, { queue, mode: 'db', sweepMs: 20 })
    await subject.process(ledger.definitions, { queue, sweepMs: 20, hintGraceMs: 0 })
    const { tasks } = await subject.process(ledger.definitions, { queue, sweepMs: 20, hintGraceMs: 0 })
    const started = await Promise.all(Array.from({ length: 300 }, () => tasks.start('note', null)))
    await ledger.each(started.map(({ id }) => id))
  })

  test("mode 'db' never speaks to Redis", async () => {
    await using redis = await ScriptedServer.start((command) => introduction(command) ?? '$-1')
    const ledger = new Ledger()
    const { tasks } = await subject.process(ledger.definitions, {
      queue: subject.newQueue(),
      redis: redis.url,
      mode: 'db',
      modeReason: 'ENABLE_BACKGROUND_TASKS=false',
    })
    const { id, via, reason } = await tasks.start('note', null)
    assert.equal(via, 'database')
    assert.match(reason ?? '', /ENABLE_BACKGROUND_TASKS=false/)
    await ledger.each([id])
    const said = redis.commands.map(([name]) => name)
    assert.deepEqual(
      said.filter((name) => name === 'LPUSH' || name === 'BLMPOP'),
      [],
    )
  })

  test('Redis 6 knows no BLMPOP: hints arrive all the same', async () => {
    const list: string[] = []
    await using redis = await ScriptedServer.start((command) => {
      const [name = '', ...rest] = command
      if (name === 'BLMPOP') return "-ERR unknown command 'BLMPOP', with args beginning with: "
      if (name === 'LPUSH') return `:${list.unshift(...rest.slice(1))}`
      if (name !== 'BRPOP') return introduction(command) ?? '$-1'
      const id = list.pop()
      return id === undefined ? '*-1' : `*2\r\n$1\r\nq\r\n$${id.length}\r\n${id}`
    })
    const ledger = new Ledger()
    const { tasks, link } = await subject.process(ledger.definitions, {
      queue: subject.newQueue(),
      redis: redis.url,
      sweepMs: 60_000,
    })
    await eventually('the link is up', () => link?.health.can.write)
    const { id } = await tasks.start('note', null)
    await ledger.each([id])
    assert.equal((await tasks.get(id))?.via, 'redis')
  })

  test('a result is read, and waited for, while Redis is down', async () => {
    await using redis = await RedisServer.start()
    const gate = Promise.withResolvers<string>()
    const queue = subject.newQueue()
    const definitions = { slow: { run: () => gate.promise } }
    const { tasks } = await subject.process(definitions, { queue, redis: redis.url })
    const elsewhere = await subject.process(definitions, { queue, redis: redis.url, worker: false })
    await redis.kill()
    const { id } = await tasks.start('slow', null)
    assert.deepEqual(await tasks.result('no such id'), { state: 'unknown' })
    assert.deepEqual(await tasks.result(randomUUID(), { waitMs: 50 }), { state: 'unknown' })
    await eventually('it runs', async () => (await elsewhere.tasks.result(id, { waitMs: 1 })).state === 'running')
    const waiting = [tasks, elsewhere.tasks].map((reader) => reader.result(id, { waitMs: 20_000 }))
    gate.resolve('late')
    for (const result of [...(await Promise.all(waiting)), await elsewhere.tasks.result(id, { waitMs: 1000 })])
      assert.deepEqual(result, { state: 'done', value: 'late' })
  })
}

/** Median time of some calls, in milliseconds. */
async function medianOf(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < calls; n++) {
    const begun = performance.now()
    await call()
    times.push(performance.now() - begun)
  }
  return times.toSorted((one, other) => one - other)[Math.floor(calls / 2)] ?? 0
}
