/**
 * Transactions: all or nothing, one after another, bounded.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase, type DatabaseOptions, type Transaction } from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'
import { channels, type NoticeMessage } from '../../src/telemetry/channels.ts'
import { rejects, SLACK_MS, type Subject } from './database-subject.ts'

export function transactionTests(subject: Subject): void {
  test('a transaction gives what its function gives, and its writes are there', async () => {
    const given = await subject.database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id, n) VALUES ($1, $2)', ['tx1', 1])
      const { rows } = await tx.query('UPDATE things SET n = n + 1 WHERE id = $1 RETURNING n', ['tx1'])
      return rows[0]?.['n']
    })
    assert.equal(given, 2)
    assert.equal(await subject.counted('tx1'), 2)
  })

  test('what the function throws comes out unchanged, and nothing is written', async () => {
    const mine = new Error('mine')
    const tried = subject.database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx2'])
      throw mine
    })
    await assert.rejects(tried, (error) => error === mine)
    assert.equal(await subject.counted('tx2'), undefined)
  })

  test('a failed statement cannot be overlooked: nothing is committed', async () => {
    const tried = subject.database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx3'])
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx3']).catch(() => 'swallowed')
    })
    const error = await rejects(tried, 'DATABASE_CONSTRAINT', 'no')
    assert.equal(error.reason?.code, 'unique')
    assert.equal(await subject.counted('tx3'), undefined)
  })

  test('after a failed statement the others of the transaction are refused', async () => {
    let later: unknown
    const tried = subject.database.transaction(async (tx) => {
      await tx.query('SELECT * FROM nowhere').catch(() => 'swallowed')
      later = await tx.query('SELECT 1').catch((error: unknown) => error)
    })
    await rejects(tried, 'DATABASE_STATEMENT', 'no')
    assert.equal(later instanceof DatabaseError && /failed before/.test(later.message), true)
  })

  test('statements begun together in one transaction run one after another', async () => {
    await subject.database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx4'])
      await Promise.all(
        Array.from({ length: 20 }, () => tx.query('UPDATE things SET n = n + 1 WHERE id = $1', ['tx4'])),
      )
    })
    assert.equal(await subject.counted('tx4'), 20)
  })

  test('a statement nobody awaited belongs to the transaction, its failure too', async () => {
    await subject.database.transaction(async (tx) => void tx.query('INSERT INTO things (id) VALUES ($1)', ['tx5']))
    assert.equal(await subject.counted('tx5'), 0)
    const tried = subject.database.transaction(
      async (tx) => void tx.query('INSERT INTO things (id) VALUES ($1)', ['tx5']).catch(() => 'seen'),
    )
    await rejects(tried, 'DATABASE_CONSTRAINT', 'no')
  })

  test('a tx is of no use after its end', async () => {
    let kept: Transaction | undefined
    await subject.database.transaction(async (tx) => {
      kept = tx
    })
    assert.ok(kept)
    assert.equal(kept.signal.aborted, true)
    await rejects(kept.query('SELECT 1'), 'DATABASE_STATEMENT', 'no')
    assert.throws(() => kept?.afterCommit(() => 'never'), DatabaseError)
  })

  test(`nobody sees a transaction before its commit, and nobody's statement slips into it`, async () => {
    const entered = Promise.withResolvers<void>()
    const leave = Promise.withResolvers<void>()
    const failing = subject.database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx6'])
      entered.resolve()
      await leave.promise
      throw new Error('roll back')
    })
    await entered.promise
    assert.equal(await subject.counted('tx6'), undefined)
    const outside = subject.database.query('INSERT INTO things (id) VALUES ($1)', ['outside'])
    setImmediate(leave.resolve)
    await assert.rejects(failing, /roll back/)
    await outside
    assert.deepEqual([await subject.counted('tx6'), await subject.counted('outside')], [undefined, 0])
  })

  test('60 transactions at once lose no update', async () => {
    await subject.database.query('INSERT INTO things (id) VALUES ($1)', ['sum'])
    const add = (tx: Transaction): Promise<unknown> => tx.query('UPDATE things SET n = n + 1 WHERE id = $1', ['sum'])
    await Promise.all(Array.from({ length: 60 }, () => subject.database.transaction(add)))
    assert.equal(await subject.counted('sum'), 60)
  })

  test('hooks run after the commit, never after a rollback, and their errors become a notice', async () => {
    const order: unknown[] = []
    const notices: NoticeMessage[] = []
    const unsubscribe = channels.notice.subscribe((message) => notices.push(message))
    await subject.database.transaction(async (tx) => {
      tx.afterCommit(() => order.push('one'))
      tx.afterCommit(() => {
        throw new Error('hook')
      })
      tx.afterCommit(() => order.push('two'))
      order.push('inside')
    })
    const failing = subject.database.transaction(async (tx) => {
      tx.afterCommit(() => order.push('never'))
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    unsubscribe()
    assert.deepEqual(order, ['inside', 'one', 'two'])
    assert.match(notices[0]?.message ?? '', /hook/)
  })

  test('a transaction inside a transaction is refused at once, not deadlocked', async () => {
    const begun = performance.now()
    const nested = subject.database.transaction(async () => subject.database.transaction(async () => 'inner'))
    const error = await rejects(nested, 'DATABASE_STATEMENT', 'no')
    assert.match(error.message, /inside its own transaction/)
    assert.ok(performance.now() - begun < 1000)
    // Work that a transaction has set off and that goes on after it is not inside it.
    let later: Promise<string> | undefined
    await subject.database.transaction(async () => {
      later = new Promise((resolve) => setTimeout(resolve, 20)).then(() =>
        subject.database.transaction(async () => 'x'),
      )
    })
    assert.equal(await later, 'x')
  })

  test('a function that takes too long is rolled back, and its later statements are refused', async () => {
    const begun = performance.now()
    const late = Promise.withResolvers<unknown>()
    const aborted = Promise.withResolvers<void>()
    const tried = subject.database.transaction(
      async (tx) => {
        await tx.query('INSERT INTO things (id) VALUES ($1)', ['late'])
        tx.signal.addEventListener('abort', () => aborted.resolve())
        await aborted.promise
        late.resolve(await tx.query('SELECT 1').catch((error: unknown) => error))
      },
      { deadlineMs: 100 },
    )
    await rejects(tried, 'DATABASE_DEADLINE', 'no')
    assert.ok(performance.now() - begun < 100 + SLACK_MS)
    assert.equal((await late.promise) instanceof DatabaseError, true)
    // The writer is free again for the next one.
    await subject.database.query('INSERT INTO things (id) VALUES ($1)', ['after-late'], { deadlineMs: 2000 })
    assert.equal(await subject.counted('late'), undefined)
  })

  test('a read-only transaction sees one state, writes nothing, and does not disturb the health', async () => {
    await subject.database.query('INSERT INTO things (id) VALUES ($1)', ['ro'])
    const seen = await subject.database.transaction(
      async (tx) => {
        const read = async (): Promise<unknown> =>
          (await tx.query('SELECT n FROM things WHERE id = $1', ['ro'])).rows[0]?.['n']
        const first = await read()
        await anotherWrites(subject.options, 'UPDATE things SET n = 7 WHERE id = $1', 'ro')
        return [first, await read()]
      },
      { readOnly: true },
    )
    assert.deepEqual(seen, [0, 0])
    assert.equal(await subject.counted('ro'), 7)
    const writing = subject.database.transaction((tx) => tx.query(`DELETE FROM things WHERE id = 'ro'`), {
      readOnly: true,
    })
    await rejects(writing, 'DATABASE_STATEMENT', 'no')
    assert.equal(subject.database.health.state, 'up')
    await subject.database.transaction((tx) => tx.query(`DELETE FROM things WHERE id = 'ro'`))
  })
}

/** Commits one statement from outside, while a transaction is open elsewhere. */
async function anotherWrites(options: DatabaseOptions, sql: string, param: string): Promise<void> {
  const writer = createDatabase(options)
  writer.start()
  // AsyncLocalStorage must not take this for the surrounding transaction: it is another database object.
  await writer.query(sql, [param])
  await writer.close()
}
