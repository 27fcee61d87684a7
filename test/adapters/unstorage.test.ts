/** Our driver in unstorage, with Redis up, dead, frozen, and coming and going. */
import { after, before, describe, test } from 'node:test'
import { createStorage } from 'unstorage'
import { unstorageDriver } from '../../src/adapters/unstorage.ts'
import { ACTS, Scene } from './stores/scene.ts'
import { UNSTORAGE_CASES } from './stores/unstorage-cases.ts'

for (const act of ACTS)
  describe(`Redis ${act.name}`, () => {
    let scene: Scene
    before(async () => {
      scene = await Scene.open(act, (source) => void unstorageDriver(source))
    })
    after(() => scene.close())
    for (const [name, run] of UNSTORAGE_CASES)
      test(name, () =>
        scene.play(async () => {
          const storage = createStorage({ driver: unstorageDriver(scene.source) })
          await storage.clear()
          await run(storage)
          await storage.dispose()
        }),
      )
  })
