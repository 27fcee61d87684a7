import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { madeUpHost } from '../../../test/support/made-up-host.ts'
import { known, notPermitted } from '../evidence.ts'
import { targetOfUrl } from '../targets.ts'
import { Collection } from './collection.ts'
import type { EvidenceSource } from './evidence/context.ts'
import { SOURCES } from './evidence/sources.ts'
import { unreachable } from './server.ts'

function collection(overcommit: EvidenceSource<number>['collect'], clock = new FakeClock()): Collection {
  const target = targetOfUrl('redis://127.0.0.1', 'argument 1')
  assert.ok(target.kind === 'redis')
  const parts = {
    target,
    server: unreachable('refused'),
    serverAt: () => unreachable('refused'),
    host: madeUpHost(),
    hints: {},
    clock,
    endsAt: clock.now() + 1000,
  }
  return new Collection(parts, {
    ...SOURCES,
    overcommit: { reads: 'made up', collect: overcommit },
  })
}

test('evidence() asks each source once', async () => {
  let asked = 0
  const evidence = collection(async () => known(++asked))
  assert.deepEqual(await Promise.all([evidence.evidence('overcommit'), evidence.evidence('overcommit')]), [
    known(1),
    known(1),
  ])
})

test('evidence() says why there is none: silence, a source that broke, a server that was not reached', async () => {
  const clock = new FakeClock()
  const silent = collection(() => Promise.withResolvers<never>().promise, clock).evidence('overcommit')
  await clock.advance(1000)
  assert.deepEqual(await silent, { kind: 'failed', detail: 'made up: no answer within 1000 ms' })
  const broken = collection(() => Promise.reject(new Error('unreadable')))
  assert.deepEqual(await broken.evidence('overcommit'), { kind: 'failed', detail: 'made up: unreadable' })
  assert.equal((await broken.evidence('info')).kind, 'not-available')
  assert.equal((await collection(async () => notPermitted('mode 600')).evidence('overcommit')).kind, 'not-permitted')
})
