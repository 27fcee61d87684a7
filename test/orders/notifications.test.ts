/**
 * A real browser is told of orders as they change, with `EventSource`, which sends `Last-Event-ID` by itself: across Redis killed and
 * the service killed it misses nothing that the stream holds, and is told what it cannot have. Likewise over a WebSocket.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'puppeteer-core'
import { WebSocket } from 'ws'
import type { HealthReport } from '../../src/index.ts'
import { openChromium } from '../support/chromium.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { OrderService, SEED_ORDER } from '../support/order-service.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const LOGIN = { user: 'anna', password: 'a good long password' }
const STATES = ['pending', 'processing', 'completed']
const PATIENCE = { timeoutMs: 20_000 }

let redis: RedisServer
let browser: Browser
let directory: string
let one: OrderService
let other: OrderService

before(async () => {
  directory = scratchDirectory('notifications')
  // What it has confirmed survives a kill.
  redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  const env = { ORDERS_LOGIN_USER: LOGIN.user, ORDERS_LOGIN_PASSWORD: LOGIN.password, REDIS_URL: redis.url }
  const starting = [OrderService.start({ directory, env }), OrderService.start({ directory, env })] as const
  ;[browser, one, other] = await Promise.all([openChromium(), ...starting])
})
after(async () => {
  await Promise.all([browser.close(), one.stop(), other.stop()])
  await redis.stop()
  removeScratch(directory)
})

async function order(service: OrderService): Promise<string> {
  const { status, body } = await service.post('/api/orders/', SEED_ORDER)
  assert.equal(status, 201)
  return body.id
}

async function untilRedis(service: OrderService, state: 'up' | 'away'): Promise<void> {
  const probe = async (): Promise<boolean> =>
    ((await service.get<HealthReport>('/health')).body.redis.state === 'up') === (state === 'up')
  await eventually(`Redis to be ${state} for the service`, probe, PATIENCE)
}

interface Shown {
  /** `order state`, or `gap reason`; the oldest first. */
  readonly rows: readonly string[]
  readonly state: string
}

/** What the page shows. */
async function shownIn(page: Page): Promise<Shown> {
  const [rows, state] = await Promise.all([
    page.$$eval('#notices tr', (lines) =>
      lines.map(({ dataset }) => `${dataset['order'] ?? 'gap'} ${dataset['status'] ?? dataset['gap']}`),
    ),
    page.$eval('#state', ({ textContent }) => textContent),
  ])
  return { rows: rows.toReversed(), state }
}

/** Waits until the page has shown every state of these orders; each once, whatever order the processes told them in. */
async function untilShown(page: Page, ids: readonly string[]): Promise<readonly string[]> {
  const wanted = ids.flatMap((id) => STATES.map((state) => `${id} ${state}`))
  const probe = async (): Promise<boolean> => {
    const { rows } = await shownIn(page)
    return wanted.every((row) => rows.includes(row))
  }
  await eventually('all states of all orders to be shown', probe, PATIENCE)
  const { rows } = await shownIn(page)
  assert.deepEqual(rows.filter((row) => !row.startsWith('gap')).toSorted(), wanted.toSorted())
  return rows
}

test('nobody is told anything before he has logged in', async () => {
  assert.equal((await one.get('/api/events')).status, 401)
  assert.equal((await one.get('/api/events?user_id=x')).status, 400)
  const refused = await new Promise((resolve) => {
    const socket = new WebSocket(`${one.url.replace('http', 'ws')}/api/ws`)
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
  })
  assert.equal(refused, 401)
})

test('a browser across Redis killed and the service killed misses nothing that the stream holds, and is told what it cannot have', async () => {
  for (const service of [one, other]) await untilRedis(service, 'up')
  const page = await browser.newPage()
  await page.goto(`${one.url}/notifications`)
  await page.waitForSelector('#login:not([hidden])')
  await page.type('input[name=user]', LOGIN.user)
  await page.type('input[name=password]', LOGIN.password)
  await page.click('#login button')
  const connected = async (): Promise<boolean> => (await shownIn(page)).state === 'connected'
  await eventually('the page to be connected', connected, PATIENCE)

  const ids = [await order(one), await order(other)]
  await untilShown(page, ids)

  await redis.kill()
  for (const service of [one, other]) await untilRedis(service, 'away')
  ids.push(await order(one))
  await redis.start()
  for (const service of [one, other]) await untilRedis(service, 'up')
  await untilShown(page, ids)

  await one.kill()
  await eventually('the page to notice', async () => !(await connected()), PATIENCE)
  ids.push(await order(other))
  await other.untilOrder(ids.at(-1) ?? '', 'completed')
  await one.start()
  const rows = await untilShown(page, ids)
  assert.deepEqual(
    rows.filter((row) => row.startsWith('gap')),
    [],
    'nothing was missed, and nobody says so',
  )

  await one.kill()
  ids.push(await order(other))
  await other.untilOrder(ids.at(-1) ?? '', 'completed')
  await redis.kill()
  await redis.start({ empty: true })
  await untilRedis(other, 'up')
  await one.start()
  await eventually('the gap to be shown', async () => (await shownIn(page)).rows.includes('gap begun-anew'), PATIENCE)
  const last = await order(one)
  await eventually('the page to go on', async () => (await shownIn(page)).rows.includes(`${last} completed`), PATIENCE)
  await page.close()
})

test('the same over a WebSocket, for the orders of one user alone; the service stops with it open', async () => {
  const login = await other.post<Record<string, unknown>>('/api/login', LOGIN)
  const cookie = login.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const told: { readonly type: string; readonly payload?: { readonly order_id: string; readonly status: string } }[] =
    []
  const socket = new WebSocket(`${other.url.replace('http', 'ws')}/api/ws?user_id=7`, { headers: { cookie } })
  socket.on('message', (data: Buffer) => told.push(JSON.parse(data.toString()) as (typeof told)[number]))
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await eventually('a hello', () => told[0]?.type === 'hello')
  await order(other)
  const { body } = await other.post('/api/orders/', { ...SEED_ORDER, user_id: 7 })
  await eventually('its three states', () => told.filter(({ type }) => type === 'event').length === 3, PATIENCE)
  const notices = told.flatMap(({ payload }) => payload ?? [])
  assert.deepEqual(
    notices.map(({ order_id, status }) => `${order_id} ${status}`),
    STATES.map((state) => `${body.id} ${state}`),
  )
  other.signal('SIGTERM')
  assert.equal(await closed, 1001)
  assert.equal(await other.ended(), 0)
})
