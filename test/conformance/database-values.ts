/**
 * Values, parameters, statements and the dialect.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Database } from 'evenkeel/database'
import { rejects, type Subject } from './database-subject.ts'

export function valueTests(subject: Subject): void {
  test('values come back as they went in', async () => {
    const at = new Date('2026-02-03T04:05:06.789Z')
    const doc = { name: 'Ünïcode ✓', list: [1, 2, { deep: null }] }
    const sent = ['k1', 2n ** 60n, -7, 1.25, "it's $1 and ?", true, at, Buffer.from([0, 255, 10]), doc]
    await subject.database.query('INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', sent)
    const { rows } = await subject.database.query('SELECT * FROM kinds WHERE id = $1', ['k1'])
    assert.deepEqual(rows, [
      {
        id: 'k1',
        whole: 2n ** 60n,
        small: -7,
        broken: 1.25,
        words: "it's $1 and ?",
        yes: true,
        at,
        bytes: Buffer.from([0, 255, 10]),
        doc,
      },
    ])
  })

  test('a whole number is a number until it would lose digits', async () => {
    await subject.database.query('INSERT INTO kinds (id, whole) VALUES ($1, $2), ($3, $4)', [
      'n1',
      Number.MAX_SAFE_INTEGER,
      'n2',
      2n ** 53n,
    ])
    const { rows } = await subject.database.query('SELECT whole FROM kinds WHERE id IN ($1, $2) ORDER BY id', [
      'n1',
      'n2',
    ])
    assert.deepEqual(rows, [{ whole: Number.MAX_SAFE_INTEGER }, { whole: 2n ** 53n }])
  })

  test('NULL, false, an empty text, no bytes and a JSON null stay apart', async () => {
    await subject.database.query('INSERT INTO kinds (id, words, yes, bytes, doc) VALUES ($1, $2, $3, $4, $5)', [
      'z',
      '',
      false,
      new Uint8Array(0),
      'null',
    ])
    const { rows } = await subject.database.query('SELECT words, yes, bytes, doc, at FROM kinds WHERE id = $1', ['z'])
    assert.deepEqual(rows, [{ words: '', yes: false, bytes: Buffer.alloc(0), doc: null, at: null }])
  })

  test('a number given for a text column is written without a decimal point', async () => {
    await subject.database.query('INSERT INTO kinds (id, words) VALUES ($1, $2)', ['t5', 5])
    const { rows } = await subject.database.query('SELECT words FROM kinds WHERE id = $1', ['t5'])
    assert.deepEqual(rows, [{ words: '5' }])
  })

  test('a megabyte of text comes back whole', async () => {
    const words = 'ä✓x'.repeat(350_000)
    await subject.database.query('INSERT INTO kinds (id, words) VALUES ($1, $2)', ['big', words])
    const { rows } = await subject.database.query<{ words: string }>('SELECT words FROM kinds WHERE id = $1', ['big'])
    assert.equal(rows[0]?.words === words, true)
  })

  test('a dollar sign inside quotes or a comment is text', async () => {
    const sql = `SELECT words, '$2' AS one, 'it''s $3' AS two /* $4 */ FROM kinds WHERE id = $1 -- $5`
    const { rows } = await subject.database.query(sql, ['k1'])
    assert.deepEqual(rows, [{ words: "it's $1 and ?", one: '$2', two: "it's $3" }])
  })

  test('one parameter may be used twice, and out of order', async () => {
    const { rows } = await subject.database.query('SELECT id FROM kinds WHERE whole > $2 AND id = $1 AND id = $1', [
      'k1',
      5,
    ])
    assert.deepEqual(rows, [{ id: 'k1' }])
  })

  for (const [what, params] of [
    ['too few', []],
    ['too many', ['k1', 'k2']],
    ['an undefined one', [undefined as unknown as string]],
    ['not a number', [Number.NaN]],
    ['an invalid date', [new Date(Number.NaN)]],
    ['a function', [() => 1]],
  ] as const)
    test(`wrong parameters are refused and nothing runs: ${what}`, async () => {
      await rejects(subject.database.query('SELECT id FROM kinds WHERE id = $1', params), 'DATABASE_STATEMENT', 'no')
    })

  test('rowCount counts rows changed, returned or selected', async () => {
    const counts: number[] = []
    const run = async (sql: string): Promise<void> => void counts.push((await subject.database.query(sql)).rowCount)
    await run(`INSERT INTO things (id) VALUES ('r1'), ('r2'), ('r3')`)
    await run(`UPDATE things SET n = 1 WHERE id IN ('r1', 'r2')`)
    await run(`UPDATE things SET n = 2 WHERE id = 'r1' RETURNING n`)
    await run(`SELECT id FROM things WHERE id LIKE 'r%'`)
    await run(`DELETE FROM things WHERE id LIKE 'r%'`)
    await run(`DELETE FROM things WHERE id LIKE 'r%'`)
    assert.deepEqual(counts, [3, 2, 1, 3, 3, 0])
  })

  test('RETURNING and ON CONFLICT, also behind WITH', async () => {
    const upsert =
      'INSERT INTO things (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = things.n + excluded.n RETURNING n'
    const first = await subject.database.query(upsert, ['up', 2])
    const second = await subject.database.query(upsert, ['up', 3])
    const behindWith = await subject.database.query(
      `WITH given AS (SELECT 'w1' AS id) INSERT INTO things (id) SELECT id FROM given`,
    )
    assert.deepEqual([first.rows, second.rows, behindWith.rowCount], [[{ n: 2 }], [{ n: 5 }], 1])
    assert.equal(await subject.counted('w1'), 0)
  })

  for (const sql of ['', ' -- nothing', 'SELECT 1; SELECT 2', 'SELEC 1', 'SELECT * FROM nowhere', "SELECT 'open"])
    test(`refused as a wrong statement: ${JSON.stringify(sql)}`, async () => {
      await rejects(subject.database.query(sql), 'DATABASE_STATEMENT', 'no')
      assert.equal(subject.database.health.state, 'up')
    })

  for (const sql of [
    'BEGIN',
    ' /* x */ commit',
    'ROLLBACK',
    'savepoint a',
    'START TRANSACTION',
    'END',
    'SET search_path = x',
    'LISTEN x',
  ])
    test(`a statement that would change the shared connection is refused: ${sql}`, async () => {
      await rejects(subject.database.query(sql), 'DATABASE_STATEMENT', 'no')
      await rejects(
        subject.database.transaction((tx) => tx.query(sql)),
        'DATABASE_STATEMENT',
        'no',
      )
    })

  for (const [reason, sql] of [
    ['unique', `INSERT INTO things (id) VALUES ('dup'), ('dup')`],
    ['foreign-key', `INSERT INTO parts (thing) VALUES ('nobody')`],
    ['not-null', `INSERT INTO things (id, n) VALUES ('nn', NULL)`],
    ['check', `INSERT INTO things (id, n) VALUES ('ck', -1)`],
  ] as const)
    test(`a violated constraint is told by its kind: ${reason}`, async () => {
      const error = await rejects(subject.database.query(sql), 'DATABASE_CONSTRAINT', 'no')
      assert.equal(error.reason?.code, reason)
      assert.notEqual(error.nextStep, undefined)
    })

  test('now() moves, plusMs() adds, and times compare', async () => {
    const { now } = subject.database.dialect
    const sql = `SELECT id FROM kinds WHERE at < ${subject.database.dialect.plusMs(now, '$1')} AND at > ${subject.database.dialect.plusMs(now, '$2')} AND id = 'now'`
    await subject.database.query(`INSERT INTO kinds (id, at) VALUES ('now', ${now})`)
    const near = await subject.database.query(sql, [60_000, -60_000])
    const past = await subject.database.query(sql, [-60_000, -120_000])
    assert.deepEqual([near.rowCount, past.rowCount], [1, 0])
    const { rows } = await subject.database.query<{ at: Date }>(`SELECT at FROM kinds WHERE id = 'now'`)
    assert.ok(Math.abs((rows[0]?.at.getTime() ?? 0) - Date.now()) < 60_000)
  })

  test('oneOf() takes a list, an empty one too', async () => {
    await subject.database.query(`INSERT INTO things (id, n) VALUES ('l1', 1), ('l2', 2), ('l3', 3)`)
    const ids = async (column: string, list: readonly (string | number)[]): Promise<unknown[]> => {
      const sql = `SELECT id FROM things WHERE ${subject.database.dialect.oneOf(column, '$1')} AND id LIKE 'l_' ORDER BY id`
      return (await subject.database.query(sql, [list])).rows.map((row) => row['id'])
    }
    assert.deepEqual(await ids('id', ['l3', 'l1', 'l"x']), ['l1', 'l3'])
    assert.deepEqual(await ids('n', [2]), ['l2'])
    assert.deepEqual(await ids('id', []), [])
  })

  test('workers that claim rows at the same time get different ones', async () => {
    await subject.database.query(
      `INSERT INTO things (id, n) SELECT 'c' || value, 1000 FROM ${series(subject.database)}`,
    )
    const claim = async (): Promise<unknown[]> => {
      const sql = `UPDATE things SET n = 1001 WHERE id IN
        (SELECT id FROM things WHERE n = 1000 ORDER BY id LIMIT 10 ${subject.database.dialect.forUpdateSkipLocked}) RETURNING id`
      const { rows } = await subject.database.transaction((tx) => tx.query(sql))
      return rows.map((row) => row['id'])
    }
    const claimed = (await Promise.all(Array.from({ length: 6 }, claim))).flat()
    assert.equal(new Set(claimed).size, claimed.length)
    assert.equal(claimed.length, 40)
  })
}

function series(database: Database): string {
  return database.engine === 'postgres'
    ? 'generate_series(1, 40) AS s (value)'
    : '(WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < 40) SELECT value FROM s)'
}
