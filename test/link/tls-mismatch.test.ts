import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLink } from '../../src/link/index.ts'
import { tlsMismatch } from '../../src/link/tls-mismatch.ts'
import { certificates } from '../support/certificates.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

let plain: RedisServer
let encrypted: RedisServer

before(async () => {
  const { ca, server } = await certificates()
  plain = await RedisServer.start()
  encrypted = await RedisServer.start({ tls: { certificate: server, ca } })
})

after(async () => {
  await plain.stop()
  await encrypted.stop()
})

const at = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const

test('tlsMismatch() finds TLS where plain text is configured, and the reverse', async () => {
  assert.equal((await tlsMismatch(at(encrypted.port), { tls: undefined }))?.code, 'plain-to-tls-port')
  assert.equal((await tlsMismatch(at(plain.port), { tls: {} }))?.code, 'tls-to-plain-port')
})

test('tlsMismatch() finds nothing where both sides agree, or nobody answers', async () => {
  assert.equal(await tlsMismatch(at(plain.port), { tls: undefined }), undefined)
  assert.equal(await tlsMismatch(at(encrypted.port), { tls: {} }), undefined)
  await using proxy = await FaultProxy.start({ port: plain.port })
  proxy.set('silent')
  assert.equal(await tlsMismatch(at(proxy.port), { tls: {} }, { budgetMs: 50 }), undefined)
})

for (const { name, tls, code } of [
  { name: 'plain text at a TLS port', tls: false, code: 'plain-to-tls-port' },
  { name: 'TLS at a plain port', tls: true, code: 'tls-to-plain-port' },
]) {
  test(`a link that speaks ${name} is misconfigured and says so`, async () => {
    const link = createLink({ host: '127.0.0.1', port: tls ? plain.port : encrypted.port, tls })
    link.start()
    try {
      await eventually('the link to be misconfigured', () => link.health.state === 'misconfigured', { timeoutMs: 5000 })
      assert.equal(link.health.reason.code, code)
    } finally {
      await link.close()
    }
  })
}
