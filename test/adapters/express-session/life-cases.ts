/** How a session begins, lives on and ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../support/wait.ts'
import { Browser } from '../browser.ts'
import { counting, NAME, textOf, visit, type Respond, type Rig } from './application.ts'

export function lifeCases(rig: Rig): void {
  test('a session is made, comes back with its data, and is another one for another browser', async () => {
    const url = await rig.application({})
    const [one, other] = [new Browser(), new Browser()]
    const first = await visit(one, url)
    assert.match(first.cookies.get(NAME) ?? '', /^connect\.sid=s%3A[^;]+; Path=\/; HttpOnly$/)
    const second = await visit(one, url)
    assert.deepEqual([first.body.count, second.body.count, second.body.id], [1, 2, first.body.id])
    assert.notEqual((await visit(other, url)).body.id, first.body.id)
  })

  test('saveUninitialized: an untouched session is stored and set, or neither', async () => {
    const untouched: Respond = (request, answer) => answer({ id: request.sessionID })
    for (const saveUninitialized of [true, false]) {
      const url = await rig.application({ saveUninitialized }, untouched)
      const { body, cookies } = await visit(new Browser(), url)
      assert.equal(cookies.has(NAME), saveUninitialized)
      assert.equal((await rig.sessions().get(body.id)) !== undefined, saveUninitialized)
    }
  })

  test('a session whose cookie lasts some milliseconds ends with it: a new one, with a new id, and the old one is not in the store', async () => {
    const url = await rig.application({ cookie: { maxAge: 5 } })
    const browser = new Browser()
    const first = await visit(browser, url)
    const stolen = new Browser(browser.jar)
    await delay(25)
    const second = await visit(stolen, url)
    assert.equal(second.body.count, 1)
    assert.notEqual(second.body.id, first.body.id)
    assert.equal(await rig.sessions().get(first.body.id), undefined)
  })

  test('a maxAge that is set by a request, and expires as a date, end the session as well', async () => {
    const ending: Respond = (request, answer) => {
      request.session.count = 1
      request.session.cookie.maxAge = 40
      answer({ id: request.sessionID })
    }
    const dated: Respond = (request, answer) => {
      request.session.count = 1
      request.session.cookie.expires = new Date(Date.now() + 40)
      answer({ id: request.sessionID })
    }
    const ids: string[] = []
    for (const respond of [ending, dated])
      ids.push((await visit(new Browser(), await rig.application({}, respond))).body.id)
    const lasting = (await visit(new Browser(), await rig.application({}))).body.id
    await delay(60)
    for (const id of ids) assert.equal(await rig.sessions().get(id), undefined)
    assert.notEqual(
      await rig.sessions().get(lasting),
      undefined,
      'a cookie without an end: as long as the sessions say',
    )
  })

  test('a session that is only read is touched: it lives on from there', async () => {
    const reading: Respond = (request, answer) => {
      request.session.count ??= 1
      answer({ id: request.sessionID })
    }
    const url = await rig.application({ cookie: { maxAge: 1500 }, rolling: true }, reading)
    const browser = new Browser()
    const { id } = (await visit(browser, url)).body
    for (let turn = 0; turn < 2; turn++) {
      await delay(800)
      assert.equal((await visit(browser, url)).body.id, id)
    }
  })

  test('resave: saved with every request, or only when it has changed', async () => {
    for (const resave of [true, false]) {
      const store = rig.newStore()
      const saved: string[] = []
      const { set } = store
      store.set = (id, ...rest) => {
        saved.push(id)
        set.call(store, id, ...rest)
      }
      const reading: Respond = (request, answer) => {
        request.session.count ??= 1
        answer()
      }
      const url = await rig.application({ resave, store }, reading)
      const browser = new Browser()
      for (let turn = 0; turn < 3; turn++) await visit(browser, url)
      assert.equal(saved.length, resave ? 3 : 1)
    }
  })

  test('rolling: the cookie is set with every answer, or only with the first', async () => {
    for (const rolling of [true, false]) {
      const url = await rig.application({ rolling, cookie: { maxAge: 60_000 } }, (request, answer) => {
        request.session.count ??= 1
        answer()
      })
      const browser = new Browser()
      const set: boolean[] = []
      for (let turn = 0; turn < 2; turn++) set.push((await visit(browser, url)).cookies.has(NAME))
      assert.deepEqual(set, [true, rolling])
    }
  })

  test('regenerate: another id, nothing of before, and the old cookie is dead', async () => {
    const url = await rig.application({}, (request, answer) => {
      if (request.url !== '/new') return counting(request, answer)
      request.session.regenerate((error: unknown) => counting(request, answer, error))
    })
    const browser = new Browser()
    await visit(browser, url)
    const { id } = (await visit(browser, url)).body
    const old = browser.twin()
    const renewed = await visit(browser, `${url}new`)
    assert.equal(renewed.body.count, 1)
    assert.notEqual(renewed.body.id, id)
    assert.equal((await visit(browser, url)).body.count, 2)
    assert.notEqual((await visit(old, url)).body.id, id)
    assert.equal(await rig.sessions().get(id), undefined)
  })

  test('destroy: the cookie is dead, and a request that was under way and saves late does not revive it', async () => {
    const waiting: (() => void)[] = []
    const url = await rig.application({}, (request, answer) => {
      if (request.url === '/leave') request.session.destroy((error: unknown) => answer({ error }))
      else if (request.url !== '/slow') counting(request, answer)
      else waiting.push(() => counting(request, answer))
    })
    const browser = new Browser()
    const { id } = (await visit(browser, url)).body
    const old = browser.twin()
    const slow = visit(browser.twin(), `${url}slow`)
    await eventually('the slow request to be under way', () => waiting.length === 1)
    assert.equal((await visit(browser, `${url}leave`)).body.error ?? null, null)
    for (const go of waiting) go()
    await slow
    assert.equal(await rig.sessions().get(id), undefined)
    assert.notEqual((await visit(old, url)).body.id, id)
  })

  test('reload and save in the middle of a request; a session that is gone cannot be loaded again', async () => {
    const url = await rig.application({}, (request, answer) => {
      request.session.count = 7
      request.session.save(() => {
        request.session.count = 8
        request.session.reload(() => {
          const { count } = request.session
          rig
            .sessions()
            .destroy(request.sessionID)
            .then(
              () => request.session.reload((error: unknown) => answer({ count, error: textOf(error) })),
              (error: unknown) => answer({ error }),
            )
        })
      })
    })
    const { body } = await visit(new Browser(), url)
    assert.equal(body.count, 7)
    assert.match(String(body.error), /failed to load session/)
  })
}
