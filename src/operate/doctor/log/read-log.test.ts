import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { OptionError } from '../../../errors.ts'
import { readLog, readLogStream } from './read-log.ts'

async function* chunks(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const LOG = 'häuptling\r\n\nMISCONF Redis is configured to save\nconnect ECONNREFUSED 10.0.0.5:6379'

test('readLogStream() puts lines together wherever they were cut', async () => {
  for (const size of [1, 2, 7, 1000]) {
    const { lines, sightings } = await readLogStream(chunks(LOG, size), 'standard input')
    assert.equal(lines, 3)
    assert.deepEqual(sightings.map(({ code, count }) => `${code} ${count}`).toSorted(), [
      'refused 1',
      'snapshot-failing 1',
    ])
  }
})

test('readLogStream() stops at its bound, and keeps little of a line without end', async () => {
  let read = 0
  async function* endless(): AsyncGenerator<Buffer> {
    while (true) {
      read += 65_536
      yield Buffer.alloc(65_536, 'x')
    }
  }
  const { lines } = await readLogStream(endless(), 'x', { maxBytes: 1_000_000 })
  assert.equal(lines, 1)
  assert.ok(read < 1_100_000)
})

test('readLog() reads the end of a long file, from the first whole line on, and packed ones', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-log-'))
  try {
    const [path, packed] = [join(directory, 'a.log'), join(directory, 'a.log.1.gz')]
    writeFileSync(path, `connect ECONNREFUSED 10.0.0.5:6379\n`.repeat(100))
    const end = await readLog(path, { maxBytes: 360 })
    assert.deepEqual([end.sightings[0]?.count, end.skippedBytes], [10, 3140])
    writeFileSync(packed, gzipSync(LOG))
    assert.equal((await readLog(packed)).lines, 3)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('readLog() names the option when there is no such file, or it is damaged', async () => {
  await assert.rejects(
    readLog('/none/such.log'),
    (error) => error instanceof OptionError && /--log.*none\/such/.test(error.message),
  )
  await assert.rejects(readLog('/none/such.log.gz'), OptionError)
  await assert.rejects(readLog('/proc'), OptionError)
})
