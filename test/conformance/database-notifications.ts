/**
 * Messages: heard by every listener, sent with a commit or not at all, and never the only way to learn of something.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase, type Database, type Listening } from 'evenkeel/database'
import { channels, type NoticeMessage } from '../../src/telemetry/channels.ts'
import { eventually } from '../support/wait.ts'
import { rejects, type Subject } from './database-subject.ts'

/** It is a millisecond or two; what looks into the file now and then would need a fifth of a second. */
const AT_ONCE_MS = 100

/** Hears one channel and remembers. */
class Ear {
  readonly messages: string[] = []
  gaps = 0
  readonly #listening: Listening

  constructor(database: Database, channel: string) {
    this.#listening = database.listen(channel, {
      onMessage: (payload) => this.messages.push(payload),
      onGap: () => this.gaps++,
    })
  }

  async active(): Promise<this> {
    await eventually('it listens, and has looked for what came before', () => this.#listening.active && this.gaps > 0)
    return this
  }

  close(): void {
    this.#listening.close()
  }
}

export function notificationTests(subject: Subject): void {
  test('a message reaches every listener of its channel, and no other', async () => {
    const [one, two, other] = [
      new Ear(subject.database, 'here'),
      new Ear(subject.database, 'here'),
      new Ear(subject.database, 'there'),
    ]
    for (const ear of [one, two, other]) await ear.active()
    await subject.database.notify('here', 'ä $1 "quoted"')
    await subject.database.notify('here')
    await eventually('both messages', () => one.messages.length === 2 && two.messages.length === 2)
    assert.deepEqual([one.messages, two.messages, other.messages], [['ä $1 "quoted"', ''], ['ä $1 "quoted"', ''], []])
    for (const ear of [one, two, other]) ear.close()
  })

  test('a message of a transaction is sent with its commit, and not without', async () => {
    const ear = await new Ear(subject.database, 'orders').active()
    const failing = subject.database.transaction(async (tx) => {
      await tx.notify('orders', 'never')
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    await subject.database.transaction(async (tx) => {
      await tx.notify('orders', 'committed')
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.deepEqual(ear.messages, [])
    })
    await eventually('the message', () => ear.messages.length > 0)
    assert.deepEqual(ear.messages, ['committed'])
    ear.close()
  })

  test('another process is woken: by the message, or by a gap because something was written', async () => {
    const ear = await new Ear(subject.another(), 'wake').active()
    const before = ear.gaps
    await subject.database.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['wake'])
      await tx.notify('wake')
    })
    await eventually('it is woken', () => ear.messages.length + ear.gaps > before)
    ear.close()
  })

  test('another process hears the message itself, and at once', async () => {
    const [other, waits] = [subject.another(), [] as number[]]
    const ear = await new Ear(other, 'words').active()
    for (let round = 0; round < 9; round += 1) {
      const [begun, word] = [performance.now(), `word ${round}`]
      await subject.database.notify('words', word)
      await eventually('it is heard', () => ear.messages.at(-1) === word)
      waits.push(performance.now() - begun)
    }
    assert.equal(ear.messages.length, 9)
    const median = waits.toSorted((one, two) => one - two)[4] ?? Number.NaN
    assert.ok(median < AT_ONCE_MS, `${median} ms`)
    ear.close()
  })

  test('one may listen before start(); a closed listener hears nothing; listening again begins with a gap', async () => {
    const early = subject.closeLater(createDatabase(subject.options))
    const ear = new Ear(early, 'early')
    early.start()
    await ear.active()
    ear.close()
    await early.notify('early', 'unheard')
    const again = await new Ear(early, 'early').active()
    await early.notify('early', 'heard')
    await eventually('the second message', () => again.messages.length > 0)
    assert.deepEqual([ear.messages, again.messages], [[], ['heard']])
    await early.close()
    assert.throws(() => early.listen('early', { onMessage: () => undefined }), { code: 'DATABASE_CLOSED' })
  })

  test('what a listener throws becomes a notice, and the others hear all the same', async () => {
    const notices: NoticeMessage[] = []
    const unsubscribe = channels.notice.subscribe((message) => notices.push(message))
    const broken = subject.database.listen('loud', {
      onMessage: () => {
        throw new Error('deaf')
      },
    })
    const ear = await new Ear(subject.database, 'loud').active()
    await subject.database.notify('loud', 'x')
    await eventually('the message', () => ear.messages.length > 0)
    unsubscribe()
    assert.match(notices[0]?.message ?? '', /deaf/)
    broken.close()
    ear.close()
  })

  for (const [what, channel, payload] of [
    ['a channel with capitals', 'Orders', ''],
    ['a channel with a quote', 'a"b', ''],
    ['a channel that is too long', 'x'.repeat(64), ''],
    ['a payload that is too long', 'x', 'ä'.repeat(4000)],
    ['a zero byte', 'x', 'a\0b'],
  ] as const)
    test(`refused at once, with both engines: ${what}`, async () => {
      await rejects(subject.database.notify(channel, payload), 'DATABASE_STATEMENT', 'no')
      const inside = subject.database.transaction((tx) => tx.notify(channel, payload))
      await rejects(inside, 'DATABASE_STATEMENT', 'no')
    })
}
