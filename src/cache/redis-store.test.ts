import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkError, ReplyError } from '../errors.ts'
import type { RedisLink, Reply } from '../link/index.ts'
import { KeyNames } from './keys.ts'
import { readSettings } from './options.ts'
import { RedisStore, RENEW } from './redis-store.ts'

/** A store over a link that answers as told, and what it was sent. */
function storeThat(answer: (args: readonly string[]) => Reply | Error): { store: RedisStore; sent: string[][] } {
  const sent: string[][] = []
  const link = {
    nodes: [],
    send(args: readonly string[]): Promise<Reply> {
      sent.push([...args])
      const said = answer(args)
      return said instanceof Error ? Promise.reject(said) : Promise.resolve(said)
    },
  } as unknown as RedisLink
  const settings = readSettings({ namespace: 'n', lease: { ttlMs: 5000 } })
  const names = new KeyNames(settings.prefix, settings.namespace)
  return { store: new RedisStore({ link, names, settings, token: () => 't' }), sent }
}

test('RedisStore renews a lease by a plain command, of which Redis tells us nothing', async () => {
  const { store, sent } = storeThat(() => 1)
  await store.renew('k', 't')
  assert.deepEqual(sent, [['PEXPIRE', 'evenkeel:cache:n:k', '5000', 'GT']])
})

test('RedisStore renews by script for good where the server is too old for that', async () => {
  const { store, sent } = storeThat(([name]) =>
    name === 'PEXPIRE' ? new ReplyError('ERR wrong number of arguments', { executed: 'no' }) : 1,
  )
  await store.renew('k', 't')
  await store.renew('k', 't')
  assert.deepEqual(
    sent.map(([name]) => name),
    ['PEXPIRE', 'EVALSHA', 'EVALSHA'],
  )
  assert.deepEqual(sent[1], ['EVALSHA', RENEW.hash, '1', 'evenkeel:cache:n:k', '~t', '5000'])
})

test('RedisStore learns nothing about the server from an answer that did not come', async () => {
  const { store, sent } = storeThat(() => new LinkError('LINK_DEADLINE', 'late', { executed: 'maybe' }))
  for (let tries = 0; tries < 2; tries++) await assert.rejects(store.renew('k', 't'), LinkError)
  assert.deepEqual(
    sent.map(([name]) => name),
    ['PEXPIRE', 'PEXPIRE'],
  )
})
