/** What becomes of ids, cookies and data, and what an operator asks of a store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '../../support/wait.ts'
import { Browser } from '../browser.ts'
import { counting, NAME, visit, type Rig, type Store } from './application.ts'

export function storeCases(rig: Rig): void {
  test("unset: 'destroy' forgets the session with `req.session = null`, 'keep' does not", async () => {
    for (const unset of ['destroy', 'keep'] as const) {
      const url = await rig.application({ unset }, (request, answer) => {
        if (request.url !== '/unset') return counting(request, answer)
        request.session = null as never
        answer({})
      })
      const browser = new Browser()
      const { id } = (await visit(browser, url)).body
      await visit(browser, `${url}unset`)
      assert.equal((await rig.sessions().get(id)) === undefined, unset === 'destroy')
    }
  })

  test('genid: any id will do', async () => {
    let made = 0
    const url = await rig.application({ genid: () => `${rig.state} / ü * [${(made += 1)}]` })
    const browser = new Browser()
    await visit(browser, url)
    assert.deepEqual((await visit(browser, url)).body, { id: `${rig.state} / ü * [1]`, count: 2 })
  })

  test('a cookie that is unknown, unsigned, tampered with or of an old secret', async () => {
    const url = await rig.application({ secret: ['new', 'old'] })
    const former = await rig.application({ secret: 'old' })
    const browser = new Browser()
    const { id } = (await visit(browser, former)).body
    assert.deepEqual((await visit(browser, url)).body, { id, count: 2 }, 'the old secret opens')
    const cookie = browser.jar.get(NAME) ?? ''
    for (const wrong of [`${cookie}x`, 's%3Anever', 'never', `s%3A${id}`]) {
      const page = await visit(new Browser(new Map([[NAME, wrong]])), url)
      assert.equal(page.body.count, 1, wrong)
      assert.notEqual(page.body.id, id)
    }
    await rig.sessions().destroy(id)
    assert.equal((await visit(browser, url)).body.count, 1, 'signed and unknown')
  })

  test('the store: nothing is no error, callbacks may be left out, and data is as JSON has it', async () => {
    const store = rig.newStore()
    const { get, set } = promised(store)
    assert.equal(await get(`${rig.state} never`), null)
    const data = {
      cookie: { originalMaxAge: null },
      text: 'Ü\u2028"\\',
      list: [1, null],
      date: new Date(0),
      large: 'x'.repeat(300_000),
    }
    const id = `${rig.state} data`
    await set(id, data)
    assert.deepEqual(await get(id), JSON.parse(JSON.stringify(data)))
    store.touch(id, data)
    store.set(`${rig.state} quiet`, data)
    store.destroy(id)
    await eventually('it to be gone', async () => (await get(id)) === null)
    await eventually('it to be there', async () => (await get(`${rig.state} quiet`)) !== null)
  })

  test('all, length and clear', async () => {
    const { all, length, clear } = promised(rig.newStore())
    await clear()
    assert.deepEqual([await all(), await length()], [{}, 0])
    const url = await rig.application({})
    const [one, other] = [new Browser(), new Browser()]
    const ids = [(await visit(one, url)).body.id, (await visit(other, url)).body.id]
    const found = (await all()) as Record<string, { readonly count: number }>
    assert.deepEqual(Object.keys(found).toSorted(), ids.toSorted())
    assert.deepEqual(
      Object.values(found).map(({ count }) => count),
      [1, 1],
    )
    assert.equal(await length(), 2)
    await rig.sessions().destroy(ids[0] ?? '')
    assert.equal(await length(), 1)
    await clear()
    assert.equal(await length(), 0)
    assert.equal((await visit(other, url)).body.count, 1, 'everybody is logged out')
  })

  test('many requests of one session at the same time are all answered', async () => {
    const url = await rig.application({})
    const browser = new Browser()
    const { id } = (await visit(browser, url)).body
    const pages = await Promise.all(Array.from({ length: 20 }, () => visit(browser.twin(), url)))
    for (const { body } of pages) assert.equal(body.id, id)
  })
}

/** Its calls as promises. */
function promised(store: Store) {
  return {
    get: (id: string) => promisify((done: Done<unknown>) => store.get(id, done as never))(),
    set: (id: string, data: object) => promisify((done: Done<unknown>) => store.set(id, data, done as never))(),
    all: () => promisify((done: Done<unknown>) => store.all(done as never))(),
    length: () => promisify((done: Done<unknown>) => store.length(done as never))(),
    clear: () => promisify((done: Done<unknown>) => store.clear(done as never))(),
  }
}

type Done<Result> = (error: Error | null, result: Result) => void
