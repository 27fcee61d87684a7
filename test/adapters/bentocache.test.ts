/** bentocache's own suite for drivers over ours, with Redis up, dead, frozen, and coming and going; and a whole bentocache. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BentoCache, bentostore } from 'bentocache'
import { registerCacheDriverTestSuite } from 'bentocache/test_suite'
import { bentocacheDriver, type BentocacheDriver } from '../../src/adapters/bentocache.ts'
import { ACTS, Scene } from './stores/scene.ts'

type Body = (context: { readonly assert: typeof assertions; cleanup(end: () => unknown): void }) => unknown

/** What the suite asks of its runner. */
interface Suite {
  readonly test: (name: string, body: Body) => void
  readonly group: {
    setup(begin: () => unknown): void
    tap(look: (test: { disableTimeout(): void }) => void): void
    readonly each: { teardown(end: () => unknown): void }
  }
  createDriver(options?: { readonly prefix?: string }): BentocacheDriver
}

const assertions = {
  deepEqual: (actual: unknown, wanted: unknown) => assert.deepEqual(actual, wanted),
  notEqual: (actual: unknown, wanted: unknown) => assert.notEqual(actual, wanted),
  isTrue: (actual: unknown) => assert.equal(actual, true),
  isFalse: (actual: unknown) => assert.equal(actual, false),
  isUndefined: (actual: unknown) => assert.equal(actual, undefined),
}

/** Some cases wait for seconds, so the acts run side by side. */
describe('the suite', { concurrency: true }, () => {
  for (const act of ACTS)
    describe(`Redis ${act.name}`, { concurrency: 1 }, () => {
      const namespace = act.name.replaceAll(/\W/g, '-')
      let scene: Scene
      before(async () => {
        scene = await Scene.open(act, (source) => void bentocacheDriver(source, { namespace }))
      })
      after(() => scene.close())
      playSuite(
        () => scene,
        (options) => bentocacheDriver(scene.source, { namespace }).factory({ prefix: 'suite', ...options }),
      )
    })
})

function playSuite(scene: () => Scene, createDriver: Suite['createDriver']): void {
  const cases: [name: string, body: Body][] = []
  const begins: (() => unknown)[] = []
  const ends: (() => unknown)[] = []
  const suite: Suite = {
    createDriver,
    test: (name, body) => cases.push([name, body]),
    group: {
      setup: (begin) => begins.push(begin),
      tap: (look) => look({ disableTimeout: () => undefined }),
      each: { teardown: (end) => ends.push(end) },
    },
  }
  registerCacheDriverTestSuite(suite)
  before(async () => {
    for (const begin of begins) await begin()
  })
  for (const [name, body] of cases)
    test(name, () =>
      scene().play(async () => {
        const own: (() => unknown)[] = []
        try {
          await body({ assert: assertions, cleanup: (end) => own.push(end) })
        } finally {
          for (const end of [...own, ...ends]) await end()
        }
      }),
    )
}

for (const act of ACTS)
  test(`a bentocache without a layer of its own, Redis ${act.name}`, async () => {
    const scene = await Scene.open(act, (source) => void bentocacheDriver(source))
    try {
      const store = bentostore().useL2Layer(bentocacheDriver(scene.source))
      const bento = new BentoCache({ default: 'main', stores: { main: store } })
      await scene.play(async () => {
        let loads = 0
        const load = (): number => ++loads
        await bento.clear()
        assert.equal(await bento.getOrSet({ key: 'k', factory: load, ttl: '1m', tags: ['t'] }), 1)
        assert.equal(await bento.getOrSet({ key: 'k', factory: load }), 1)
        await bento.deleteByTag({ tags: ['t'] })
        assert.equal(await bento.getOrSet({ key: 'k', factory: load }), 2)
        await bento.namespace('n').set({ key: 'k', value: 'inner' })
        await bento.delete({ key: 'k' })
        assert.equal(await bento.get({ key: 'k' }), undefined)
        assert.equal(await bento.namespace('n').get({ key: 'k' }), 'inner')
      })
    } finally {
      await scene.close()
    }
  })
