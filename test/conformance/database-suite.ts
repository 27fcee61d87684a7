/**
 * What every engine of the durable side must do, in the same words and with the same values.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createDatabase, type Database, type DatabaseOptions, type Transaction } from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'
import { channels, type DatabaseStateMessage, type NoticeMessage } from '../../src/telemetry/channels.ts'

/** A place for data that one suite has for itself. */
export interface Place {
  /** Options that lead to the place, and to the same data each time. */
  readonly options: DatabaseOptions
  close(): Promise<void>
}

/** Slack that a deadline has. The figure promised is 15 ms; a busy test machine gets more, and the outage tests print medians. */
const SLACK_MS = 250

export function databaseSuite(engine: string, open: () => Promise<Place>): void {
  let place: Place
  let database: Database
  const extra = new Set<Database>()

  /** A second database on the same data, closed with the suite. */
  const another = (options: DatabaseOptions = {}): Database => {
    const made = createDatabase({ ...place.options, ...options })
    extra.add(made)
    made.start()
    return made
  }

  before(async () => {
    place = await open()
    database = createDatabase(place.options)
    database.migrate('suite', [
      {
        id: '001',
        sql: (dialect) => `
          CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 0 CHECK (n >= 0));
          CREATE TABLE parts (id ${dialect.autoId}, thing TEXT NOT NULL REFERENCES things (id));
          CREATE TABLE kinds (
            id TEXT PRIMARY KEY, whole BIGINT, small INTEGER, broken DOUBLE PRECISION, words TEXT, yes BOOLEAN,
            at TIMESTAMPTZ, bytes ${dialect.engine === 'sqlite' ? 'BLOB' : 'BYTEA'}, doc JSONB
          )`,
      },
    ])
    database.start()
    await database.ready()
  })

  after(async () => {
    for (const made of extra) await made.close()
    await database.close()
    await place.close()
  })

  const counted = async (id: string): Promise<unknown> => {
    const { rows } = await database.query('SELECT n FROM things WHERE id = $1', [id])
    return rows[0]?.['n']
  }

  test(`${engine}: values come back as they went in`, async () => {
    const at = new Date('2026-02-03T04:05:06.789Z')
    const doc = { name: 'Ünïcode ✓', list: [1, 2, { deep: null }] }
    const sent = ['k1', 2n ** 60n, -7, 1.25, "it's $1 and ?", true, at, Buffer.from([0, 255, 10]), doc]
    await database.query('INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', sent)
    const { rows } = await database.query('SELECT * FROM kinds WHERE id = $1', ['k1'])
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

  test(`${engine}: a whole number is a number until it would lose digits`, async () => {
    await database.query('INSERT INTO kinds (id, whole) VALUES ($1, $2), ($3, $4)', ['n1', Number.MAX_SAFE_INTEGER, 'n2', 2n ** 53n])
    const { rows } = await database.query('SELECT whole FROM kinds WHERE id IN ($1, $2) ORDER BY id', ['n1', 'n2'])
    assert.deepEqual(rows, [{ whole: Number.MAX_SAFE_INTEGER }, { whole: 2n ** 53n }])
  })

  test(`${engine}: NULL, false, an empty text, no bytes and a JSON null stay apart`, async () => {
    await database.query('INSERT INTO kinds (id, words, yes, bytes, doc) VALUES ($1, $2, $3, $4, $5)', [
      'z', '', false, new Uint8Array(0), 'null',
    ])
    const { rows } = await database.query('SELECT words, yes, bytes, doc, at FROM kinds WHERE id = $1', ['z'])
    assert.deepEqual(rows, [{ words: '', yes: false, bytes: Buffer.alloc(0), doc: null, at: null }])
  })

  test(`${engine}: a number given for a text column is written without a decimal point`, async () => {
    await database.query('INSERT INTO kinds (id, words) VALUES ($1, $2)', ['t5', 5])
    const { rows } = await database.query('SELECT words FROM kinds WHERE id = $1', ['t5'])
    assert.deepEqual(rows, [{ words: '5' }])
  })

  test(`${engine}: a megabyte of text comes back whole`, async () => {
    const words = 'ä✓x'.repeat(350_000)
    await database.query('INSERT INTO kinds (id, words) VALUES ($1, $2)', ['big', words])
    const { rows } = await database.query<{ words: string }>('SELECT words FROM kinds WHERE id = $1', ['big'])
    assert.equal(rows[0]?.words === words, true)
  })

  test(`${engine}: a dollar sign inside quotes or a comment is text`, async () => {
    const sql = `SELECT words, '$2' AS one, 'it''s $3' AS two /* $4 */ FROM kinds WHERE id = $1 -- $5`
    const { rows } = await database.query(sql, ['k1'])
    assert.deepEqual(rows, [{ words: "it's $1 and ?", one: '$2', two: "it's $3" }])
  })

  test(`${engine}: one parameter may be used twice, and out of order`, async () => {
    const { rows } = await database.query('SELECT id FROM kinds WHERE whole > $2 AND id = $1 AND id = $1', ['k1', 5])
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
    test(`${engine}: wrong parameters are refused and nothing runs: ${what}`, async () => {
      await rejects(database.query('SELECT id FROM kinds WHERE id = $1', params), 'DATABASE_STATEMENT', 'no')
    })

  test(`${engine}: rowCount counts rows changed, returned or selected`, async () => {
    const counts: number[] = []
    const run = async (sql: string): Promise<void> => void counts.push((await database.query(sql)).rowCount)
    await run(`INSERT INTO things (id) VALUES ('r1'), ('r2'), ('r3')`)
    await run(`UPDATE things SET n = 1 WHERE id IN ('r1', 'r2')`)
    await run(`UPDATE things SET n = 2 WHERE id = 'r1' RETURNING n`)
    await run(`SELECT id FROM things WHERE id LIKE 'r%'`)
    await run(`DELETE FROM things WHERE id LIKE 'r%'`)
    await run(`DELETE FROM things WHERE id LIKE 'r%'`)
    assert.deepEqual(counts, [3, 2, 1, 3, 3, 0])
  })

  test(`${engine}: RETURNING and ON CONFLICT, also behind WITH`, async () => {
    const upsert = 'INSERT INTO things (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = things.n + excluded.n RETURNING n'
    const first = await database.query(upsert, ['up', 2])
    const second = await database.query(upsert, ['up', 3])
    const with_ = await database.query(`WITH given AS (SELECT 'w1' AS id) INSERT INTO things (id) SELECT id FROM given`)
    assert.deepEqual([first.rows, second.rows, with_.rowCount], [[{ n: 2 }], [{ n: 5 }], 1])
    assert.equal(await counted('w1'), 0)
  })

  for (const sql of ['', ' -- nothing', 'SELECT 1; SELECT 2', 'SELEC 1', 'SELECT * FROM nowhere', "SELECT 'open"])
    test(`${engine}: refused as a wrong statement: ${JSON.stringify(sql)}`, async () => {
      await rejects(database.query(sql), 'DATABASE_STATEMENT', 'no')
      assert.equal(database.health.state, 'up')
    })

  for (const sql of ['BEGIN', ' /* x */ commit', 'ROLLBACK', 'savepoint a', 'START TRANSACTION', 'END', 'SET search_path = x', 'LISTEN x'])
    test(`${engine}: a statement that would change the shared connection is refused: ${sql}`, async () => {
      await rejects(database.query(sql), 'DATABASE_STATEMENT', 'no')
      await rejects(database.transaction((tx) => tx.query(sql)), 'DATABASE_STATEMENT', 'no')
    })

  for (const [reason, sql] of [
    ['unique', `INSERT INTO things (id) VALUES ('dup'), ('dup')`],
    ['foreign-key', `INSERT INTO parts (thing) VALUES ('nobody')`],
    ['not-null', `INSERT INTO things (id, n) VALUES ('nn', NULL)`],
    ['check', `INSERT INTO things (id, n) VALUES ('ck', -1)`],
  ] as const)
    test(`${engine}: a violated constraint is told by its kind: ${reason}`, async () => {
      const error = await rejects(database.query(sql), 'DATABASE_CONSTRAINT', 'no')
      assert.equal(error.reason?.code, reason)
      assert.notEqual(error.nextStep, undefined)
    })

  test(`${engine}: a transaction gives what its function gives, and its writes are there`, async () => {
    const given = await database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id, n) VALUES ($1, $2)', ['tx1', 1])
      const { rows } = await tx.query('UPDATE things SET n = n + 1 WHERE id = $1 RETURNING n', ['tx1'])
      return rows[0]?.['n']
    })
    assert.equal(given, 2)
    assert.equal(await counted('tx1'), 2)
  })

  test(`${engine}: what the function throws comes out unchanged, and nothing is written`, async () => {
    const mine = new Error('mine')
    const tried = database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx2'])
      throw mine
    })
    await assert.rejects(tried, (error) => error === mine)
    assert.equal(await counted('tx2'), undefined)
  })

  test(`${engine}: a failed statement cannot be overlooked: nothing is committed`, async () => {
    const tried = database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx3'])
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx3']).catch(() => 'swallowed')
    })
    const error = await rejects(tried, 'DATABASE_CONSTRAINT', 'no')
    assert.equal(error.reason?.code, 'unique')
    assert.equal(await counted('tx3'), undefined)
  })

  test(`${engine}: after a failed statement the others of the transaction are refused`, async () => {
    let later: unknown
    const tried = database.transaction(async (tx) => {
      await tx.query('SELECT * FROM nowhere').catch(() => 'swallowed')
      later = await tx.query('SELECT 1').catch((error: unknown) => error)
    })
    await rejects(tried, 'DATABASE_STATEMENT', 'no')
    assert.equal(later instanceof DatabaseError && /failed before/.test(later.message), true)
  })

  test(`${engine}: statements begun together in one transaction run one after another`, async () => {
    await database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx4'])
      await Promise.all(Array.from({ length: 20 }, () => tx.query('UPDATE things SET n = n + 1 WHERE id = $1', ['tx4'])))
    })
    assert.equal(await counted('tx4'), 20)
  })

  test(`${engine}: a statement nobody awaited belongs to the transaction, its failure too`, async () => {
    await database.transaction(async (tx) => void tx.query('INSERT INTO things (id) VALUES ($1)', ['tx5']))
    assert.equal(await counted('tx5'), 0)
    const tried = database.transaction(async (tx) => void tx.query('INSERT INTO things (id) VALUES ($1)', ['tx5']).catch(() => 'seen'))
    await rejects(tried, 'DATABASE_CONSTRAINT', 'no')
  })

  test(`${engine}: a tx is of no use after its end`, async () => {
    let kept: Transaction | undefined
    await database.transaction(async (tx) => {
      kept = tx
    })
    assert.ok(kept)
    assert.equal(kept.signal.aborted, true)
    await rejects(kept.query('SELECT 1'), 'DATABASE_STATEMENT', 'no')
    assert.throws(() => kept?.afterCommit(() => 'never'), DatabaseError)
  })

  test(`${engine}: nobody sees a transaction before its commit, and nobody's statement slips into it`, async () => {
    const entered = Promise.withResolvers<void>()
    const leave = Promise.withResolvers<void>()
    const failing = database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['tx6'])
      entered.resolve()
      await leave.promise
      throw new Error('roll back')
    })
    await entered.promise
    assert.equal(await counted('tx6'), undefined)
    const outside = database.query('INSERT INTO things (id) VALUES ($1)', ['outside'])
    setImmediate(leave.resolve)
    await assert.rejects(failing, /roll back/)
    await outside
    assert.deepEqual([await counted('tx6'), await counted('outside')], [undefined, 0])
  })

  test(`${engine}: 60 transactions at once lose no update`, async () => {
    await database.query('INSERT INTO things (id) VALUES ($1)', ['sum'])
    const add = (tx: Transaction): Promise<unknown> => tx.query('UPDATE things SET n = n + 1 WHERE id = $1', ['sum'])
    await Promise.all(Array.from({ length: 60 }, () => database.transaction(add)))
    assert.equal(await counted('sum'), 60)
  })

  test(`${engine}: hooks run after the commit, never after a rollback, and their errors become a notice`, async () => {
    const order: unknown[] = []
    const notices: NoticeMessage[] = []
    const unsubscribe = channels.notice.subscribe((message) => notices.push(message))
    await database.transaction(async (tx) => {
      tx.afterCommit(() => order.push('one'))
      tx.afterCommit(() => {
        throw new Error('hook')
      })
      tx.afterCommit(() => order.push('two'))
      order.push('inside')
    })
    const failing = database.transaction(async (tx) => {
      tx.afterCommit(() => order.push('never'))
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    unsubscribe()
    assert.deepEqual(order, ['inside', 'one', 'two'])
    assert.match(notices[0]?.message ?? '', /hook/)
  })

  test(`${engine}: a transaction inside a transaction is refused at once, not deadlocked`, async () => {
    const begun = performance.now()
    const nested = database.transaction(async () => database.transaction(async () => 'inner'))
    const error = await rejects(nested, 'DATABASE_STATEMENT', 'no')
    assert.match(error.message, /inside its own transaction/)
    assert.ok(performance.now() - begun < 1000)
    // Work that a transaction has set off and that runs after it is not inside it.
    const later = await database.transaction(async () => new Promise((resolve) => setImmediate(() => resolve(undefined))).then(() => 'x'))
    assert.equal(later, 'x')
  })

  test(`${engine}: a function that takes too long is rolled back, and its later statements are refused`, async () => {
    const begun = performance.now()
    const late = Promise.withResolvers<unknown>()
    const aborted = Promise.withResolvers<void>()
    const tried = database.transaction(
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
    await database.query('INSERT INTO things (id) VALUES ($1)', ['after-late'], { deadlineMs: 2000 })
    assert.equal(await counted('late'), undefined)
  })

  test(`${engine}: a read-only transaction sees one state, writes nothing, and does not disturb the health`, async () => {
    await database.query('INSERT INTO things (id) VALUES ($1)', ['ro'])
    const seen = await database.transaction(
      async (tx) => {
        const read = async (): Promise<unknown> => (await tx.query('SELECT n FROM things WHERE id = $1', ['ro'])).rows[0]?.['n']
        const first = await read()
        await anotherWrites(place, 'UPDATE things SET n = 7 WHERE id = $1', 'ro')
        return [first, await read()]
      },
      { readOnly: true },
    )
    assert.deepEqual(seen, [0, 0])
    assert.equal(await counted('ro'), 7)
    const writing = database.transaction((tx) => tx.query(`DELETE FROM things WHERE id = 'ro'`), { readOnly: true })
    await rejects(writing, 'DATABASE_STATEMENT', 'no')
    assert.equal(database.health.state, 'up')
    await database.transaction((tx) => tx.query(`DELETE FROM things WHERE id = 'ro'`))
  })

  test(`${engine}: now() moves, plusMs() adds, and times compare`, async () => {
    const { now } = database.dialect
    const sql = `SELECT id FROM kinds WHERE at < ${database.dialect.plusMs(now, '$1')} AND at > ${database.dialect.plusMs(now, '$2')} AND id = 'now'`
    await database.query(`INSERT INTO kinds (id, at) VALUES ('now', ${now})`)
    const near = await database.query(sql, [60_000, -60_000])
    const past = await database.query(sql, [-60_000, -120_000])
    assert.deepEqual([near.rowCount, past.rowCount], [1, 0])
    const { rows } = await database.query<{ at: Date }>(`SELECT at FROM kinds WHERE id = 'now'`)
    assert.ok(Math.abs((rows[0]?.at.getTime() ?? 0) - Date.now()) < 60_000)
  })

  test(`${engine}: oneOf() takes a list, an empty one too`, async () => {
    await database.query(`INSERT INTO things (id, n) VALUES ('l1', 1), ('l2', 2), ('l3', 3)`)
    const ids = async (column: string, list: readonly (string | number)[]): Promise<unknown[]> => {
      const sql = `SELECT id FROM things WHERE ${database.dialect.oneOf(column, '$1')} AND id LIKE 'l_' ORDER BY id`
      return (await database.query(sql, [list])).rows.map((row) => row['id'])
    }
    assert.deepEqual(await ids('id', ['l3', 'l1', 'l"x']), ['l1', 'l3'])
    assert.deepEqual(await ids('n', [2]), ['l2'])
    assert.deepEqual(await ids('id', []), [])
  })

  test(`${engine}: workers that claim rows at the same time get different ones`, async () => {
    await database.query(`INSERT INTO things (id, n) SELECT 'c' || value, 1000 FROM ${series(database)}`)
    const claim = async (): Promise<unknown[]> => {
      const sql = `UPDATE things SET n = 1001 WHERE id IN
        (SELECT id FROM things WHERE n = 1000 ORDER BY id LIMIT 10 ${database.dialect.forUpdateSkipLocked}) RETURNING id`
      const { rows } = await database.transaction((tx) => tx.query(sql))
      return rows.map((row) => row['id'])
    }
    const claimed = (await Promise.all(Array.from({ length: 6 }, claim))).flat()
    assert.equal(new Set(claimed).size, claimed.length)
    assert.equal(claimed.length, 40)
  })

  test(`${engine}: migrations are applied once, in order, whoever starts first`, async () => {
    const migrations = [
      { id: '001', sql: 'CREATE TABLE rush (id TEXT PRIMARY KEY); INSERT INTO rush VALUES (\'first\')' },
      { id: '002', sql: 'ALTER TABLE rush ADD COLUMN more TEXT; INSERT INTO rush VALUES (\'second\', \'x\')' },
    ]
    const rivals = Array.from({ length: 5 }, () => {
      const rival = createDatabase(place.options)
      extra.add(rival)
      rival.migrate('rush', migrations)
      return rival
    })
    for (const rival of rivals) rival.start()
    await Promise.all(rivals.map((rival) => rival.ready({ deadlineMs: 20_000 })))
    const { rows } = await database.query('SELECT id, more FROM rush ORDER BY id')
    assert.deepEqual(rows, [{ id: 'first', more: null }, { id: 'second', more: 'x' }])
  })

  test(`${engine}: a migration declared while it runs is applied before the next call gets in`, async () => {
    const one = another()
    await one.ready()
    one.migrate('lazy', [{ id: '001', sql: 'CREATE TABLE lazy (id TEXT PRIMARY KEY)' }])
    one.migrate('lazier', [{ id: '001', sql: 'CREATE TABLE lazier (id TEXT PRIMARY KEY)' }])
    assert.equal(one.health.state, 'connecting')
    await one.query(`INSERT INTO lazy VALUES ('x')`)
    await one.query(`INSERT INTO lazier VALUES ('x')`)
    one.migrate('lazy', [{ id: '001', sql: 'CREATE TABLE lazy (id TEXT PRIMARY KEY)' }])
    assert.equal(one.health.state, 'up')
  })

  test(`${engine}: an edited migration is told, and lets no call in`, async () => {
    const other = createDatabase(place.options)
    extra.add(other)
    other.migrate('suite', [{ id: '001', sql: 'CREATE TABLE things (something else)' }])
    other.start()
    const error = await rejects(other.query('SELECT 1'), 'DATABASE_UNAVAILABLE', 'no')
    assert.equal(other.health.state, 'misconfigured')
    assert.equal(error.reason?.code, 'schema')
    assert.match(error.message, /'001' of 'suite' was edited/)
  })

  test(`${engine}: a migration that fails leaves nothing behind, and is named`, async () => {
    const other = createDatabase(place.options)
    extra.add(other)
    other.migrate('broken', [
      { id: '001', sql: 'CREATE TABLE half (id TEXT PRIMARY KEY)' },
      { id: '002', sql: 'CREATE TABLE half_2 (id TEXT PRIMARY KEY); CREATE NONSENSE' },
    ])
    other.start()
    const error = await rejects(other.query('SELECT 1'), 'DATABASE_UNAVAILABLE', 'no')
    assert.match(error.message, /'002' of 'broken'/)
    await rejects(database.query('SELECT * FROM half'), 'DATABASE_STATEMENT', 'no')
  })

  test(`${engine}: one caller too many is turned away at once, one too late at its deadline`, async () => {
    const small = another({ pool: { max: 1, maxWaiting: 1 } })
    await small.ready()
    const entered = Promise.withResolvers<void>()
    const leave = Promise.withResolvers<void>()
    const holder = small.transaction(async () => {
      entered.resolve()
      await leave.promise
    })
    await entered.promise
    const begun = performance.now()
    const waiting = small.transaction(async () => 'never', { deadlineMs: 150 })
    const tooMany = await rejects(small.transaction(async () => 'never'), 'DATABASE_UNAVAILABLE', 'no')
    const tooLate = await rejects(waiting, 'DATABASE_UNAVAILABLE', 'no')
    assert.ok(performance.now() - begun < 150 + SLACK_MS)
    assert.deepEqual([tooMany.reason?.code, tooLate.reason?.code], ['too-many-waiting', 'no-connection-free'])
    leave.resolve()
    await holder
    assert.equal(await small.transaction(async () => 'free again'), 'free again')
  })

  test(`${engine}: before start() nothing is opened and calls say so`, async () => {
    const still = createDatabase(place.options)
    const error = await rejects(still.query('SELECT 1'), 'DATABASE_UNAVAILABLE', 'no')
    assert.equal(error.reason?.code, 'not-started')
    await still.close()
    await rejects(still.query('SELECT 1'), 'DATABASE_CLOSED', 'no')
  })

  test(`${engine}: close() waits for what runs, refuses what is new, and may be called twice`, async () => {
    const one = another()
    await one.ready()
    const entered = Promise.withResolvers<void>()
    const running = one.transaction(async (tx) => {
      entered.resolve()
      await new Promise((resolve) => setImmediate(resolve))
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['closing'])
    })
    await entered.promise
    const closing = one.close()
    await rejects(one.query('SELECT 1'), 'DATABASE_CLOSED', 'no')
    await Promise.all([closing, one.close()])
    await running
    assert.deepEqual([await counted('closing'), one.health.state], [0, 'closed'])
  })

  test(`${engine}: close() does not wait longer than its grace, and what still ran is not committed`, async () => {
    const one = another()
    await one.ready()
    const entered = Promise.withResolvers<void>()
    const stuck = Promise.withResolvers<void>()
    const running = one.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['stuck'])
      entered.resolve()
      await stuck.promise
    })
    await entered.promise
    const begun = performance.now()
    await one.close({ graceMs: 100 })
    assert.ok(performance.now() - begun < 100 + SLACK_MS)
    stuck.resolve()
    await rejects(running, 'DATABASE_CLOSED', 'no')
    assert.equal(await counted('stuck'), undefined)
  })

  test(`${engine}: every change of health is published, the password is not`, async () => {
    const seen: DatabaseStateMessage[] = []
    const unsubscribe = channels.databaseState.subscribe((message) => {
      if (message.database === 'watched') seen.push(message)
    })
    const watched = another({ name: 'watched' })
    await watched.ready()
    await watched.close()
    unsubscribe()
    assert.deepEqual(seen.map(({ from, to }) => `${from} ${to}`), ['connecting connecting', 'connecting up', 'up closed'])
    assert.doesNotMatch(JSON.stringify(seen), /correct horse|correct%20horse/)
  })
}

/** Commits one statement from outside, while a transaction is open elsewhere. */
async function anotherWrites(place: Place, sql: string, param: string): Promise<void> {
  const writer = createDatabase(place.options)
  writer.start()
  // AsyncLocalStorage must not take this for the surrounding transaction: it is another database object.
  await writer.query(sql, [param])
  await writer.close()
}

function series(database: Database): string {
  return database.engine === 'postgres'
    ? 'generate_series(1, 40) AS s (value)'
    : '(WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < 40) SELECT value FROM s)'
}

async function rejects(promise: Promise<unknown>, code: string, executed: string): Promise<DatabaseError> {
  const error = await promise.then(
    () => assert.fail('It resolved'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DatabaseError, String(error))
  assert.deepEqual([error.code, error.executed], [code, executed], error.message)
  return error
}
