/** The end of every file that opens many links: nothing has escaped from them, and nothing is left of them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { grownSince, resources, Strays } from './strays.ts'

/** Watches the file from before its first test; the tests stand where what it returns is called: behind all others. */
export function strayTests(): () => void {
  let strays: Strays
  let atFirst: ReturnType<typeof resources>
  before(() => {
    strays = new Strays()
    atFirst = resources()
  })
  after(() => strays.stop())
  return () => {
    test('no warning, no word on the console and no rejection escaped in all of this', () => {
      assert.deepEqual(strays.escaped, [])
    })

    test('no socket, timer or listener is left when every link is closed', async () => {
      assert.deepEqual(await grownSince(atFirst), [])
    })
  }
}
