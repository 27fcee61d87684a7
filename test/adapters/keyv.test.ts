/**
 * Keyv's own suite over our stores for Keyv 5 and 6, with Redis up, dead, frozen, and coming and going. It was published for Keyv 5; what
 * Keyv 6 asks of a store in another way are cases of our own.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { keyvApiTests, keyvIteratorTests, keyvNamespaceTest, keyvValueTests } from '@keyv/test-suite'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import { keyv6Store, keyvStore } from '../../src/adapters/keyv.ts'
import { KEYV6_CASES } from './stores/keyv6-cases.ts'
import { playSuite, type Runner } from './stores/keyv-suite.ts'
import { ACTS, Scene } from './stores/scene.ts'

const GROUPS = { api: keyvApiTests, values: keyvValueTests, namespaces: keyvNamespaceTest, iterator: keyvIteratorTests }
const VERSIONS = [
  { version: 5, constructor: Keyv, storeOf: keyvStore, otherwise: [] },
  // Keyv 6 answers for each key: see "deleteMany() answers for each".
  {
    version: 6,
    constructor: Keyv6,
    storeOf: keyv6Store,
    otherwise: ['.deleteMany([keys]) with nonexistent keys resolves to false'],
  },
] as const

/** The suite's declarations name the whole of another runner, and Keyv 5. */
type Group = (runner: Runner, constructor: unknown, store: () => unknown) => void

let returns = 0
for (const { version, constructor, storeOf, otherwise } of VERSIONS)
  for (const act of ACTS)
    describe(`Keyv ${version}, Redis ${act.name}`, () => {
      let scene: Scene
      before(async () => {
        scene = await Scene.open(act, (source) => void storeOf(source))
      })
      after(async () => {
        returns += scene.returns
        await scene.close()
      })
      for (const [title, group] of Object.entries(GROUPS))
        playSuite({
          title,
          otherwise,
          scene: () => scene,
          register: (runner) => (group as unknown as Group)(runner, constructor, () => storeOf(scene.source)),
        })
      if (version === 6)
        for (const [name, run] of KEYV6_CASES)
          test(name, () =>
            scene.play(async () => {
              await keyv6Store(scene.source).clear()
              await run(keyv6Store(scene.source))
            }),
          )
    })

test('Redis came back in the middle of the suite', () => assert.ok(returns > 0))

test('Keyv 6 finds what Keyv 5 has stored', async () => {
  const [act] = ACTS
  assert.ok(act)
  const scene = await Scene.open(act, (source) => void keyvStore(source))
  try {
    await new Keyv({ store: keyvStore(scene.source) }).set('k', 'v', 60_000)
    const later = new Keyv6({ store: keyv6Store(scene.source), namespace: 'keyv' })
    assert.equal(await later.get('k'), 'v')
  } finally {
    await scene.close()
  }
})
