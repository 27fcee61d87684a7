/** The order service as a process: wrong settings, signals, what it prints. */

import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { SEED_ORDER, OrderService } from '../support/order-service.ts'

/** Starts it with an environment that cannot work. */
async function refused(env: Record<string, string>): Promise<{ code: unknown; lines: string[] }> {
  await using service = await OrderService.start({ env, waitUntilReady: false })
  const code = await service.ended()
  return { code, lines: service.errors.trimEnd().split('\n') }
}

const WRONG: readonly (readonly [env: Record<string, string>, line: RegExp])[] = [
  [{ PORT: 'eighty' }, /'PORT' to be a whole number from 0 to 65535, got 'eighty'/],
  [{ PORT: '70000' }, /'PORT' to be a whole number from 0 to 65535/],
  [{ LOG_LEVEL: 'loud' }, /'LOG_LEVEL' to be one of/],
  [{ REDIS_URL: 'http://cache:6379' }, /REDIS_URL/],
  [{ USE_MEMORY_MODE: 'perhaps' }, /'USE_MEMORY_MODE' to be true or false, got 'perhaps'/],
  [{ DATABASE_URL: 'mysql://db/orders' }, /mysql|postgres/],
  [{ ORDERS_LEASE_MS: '1' }, /'ORDERS_LEASE_MS' to be a whole number from 300/],
  [{ ORDERS_LOGIN_USER: 'anna' }, /'ORDERS_LOGIN_PASSWORD' to have 12 characters/],
  [{ ORDERS_LOGIN_PASSWORD: 'a good long password' }, /'ORDERS_LOGIN_USER' beside/],
  [{ HOST: '203.0.113.1' }, /cannot listen: .*EADDRNOTAVAIL/],
]

for (const [env, expected] of WRONG)
  test(`one clear line and exit code 2: ${JSON.stringify(env)}`, async () => {
    const { code, lines } = await refused(env)
    assert.equal(code, 2)
    assert.equal(lines.length, 1, lines.join('\n'))
    assert.match(lines[0] ?? '', /^evenkeel orders: /)
    assert.match(lines[0] ?? '', expected)
  })

test('a port that is taken is one clear line', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  try {
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { code, lines } = await refused({ PORT: String(port) })
    assert.equal(code, 2)
    assert.match(lines.join('\n'), /^evenkeel orders: cannot listen: .*EADDRINUSE.*Choose another HOST or PORT\.$/)
  } finally {
    other.close()
  }
})

test('no password is ever printed, wrong or right', async () => {
  const { lines } = await refused({ REDIS_URL: 'redis://app:geheim@cache:99999/0' })
  assert.doesNotMatch(lines.join('\n'), /geheim/)
  await using service = await OrderService.start({
    env: { REDIS_URL: 'redis://app:geheim@127.0.0.1:1/0', LOG_LEVEL: 'trace' },
  })
  await service.logged(/^Redis is away/)
  const { body } = await service.get('/health')
  const { body: metrics } = await service.get<string>('/metrics')
  assert.doesNotMatch([service.output, service.errors, JSON.stringify(body), metrics].join('\n'), /geheim/)
})

test('SIGTERM and SIGINT end it with exit code 0, a second signal ends it at once', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await using service = await OrderService.start()
    service.signal(signal)
    assert.equal(await service.ended(), 0)
    await service.logged('Stopped.')
  }
  await using busy = await OrderService.start({ env: { ORDERS_WORK_MS: '60000', ORDERS_LEASE_MS: '600000' } })
  const { body } = await busy.post('/api/orders/', SEED_ORDER)
  await busy.untilOrder(body.id, 'processing')
  busy.signal('SIGTERM')
  await busy.logged('SIGTERM: stopping')
  const askedAt = performance.now()
  busy.signal('SIGTERM')
  assert.equal(await busy.ended(), 143)
  assert.ok(performance.now() - askedAt < 1000)
})

test('a connection on which nobody says anything does not keep it from stopping in order', async () => {
  await using service = await OrderService.start()
  const silent = connect(service.port, '127.0.0.1')
  silent.on('error', () => undefined)
  try {
    await once(silent, 'connect')
    // Whoever connected later is answered, so the silent one has been accepted.
    await service.get('/livez')
    service.signal('SIGTERM')
    assert.equal(await service.ended(), 0)
    await service.logged('Stopped.')
  } finally {
    silent.destroy()
  }
})

test('while it stops, the requests that are already there are answered', async () => {
  await using service = await OrderService.start({ env: { ORDERS_WORK_MS: '60000', ORDERS_LEASE_MS: '600000' } })
  const { body } = await service.post('/api/orders/', SEED_ORDER)
  await service.untilOrder(body.id, 'processing')
  const load = Promise.allSettled(Array.from({ length: 20 }, () => service.post('/api/orders/', SEED_ORDER)))
  service.signal('SIGTERM')
  const answers = await load
  for (const answer of answers) if (answer.status === 'fulfilled') assert.equal(answer.value.status, 201)
  assert.equal(await service.ended(), 0)
})

test('while it stops, an answer ends its connection: nothing is waited for afterwards', async () => {
  await using service = await OrderService.start()
  const body = JSON.stringify(SEED_ORDER)
  const client = connect(service.port, '127.0.0.1')
  client.setEncoding('utf8')
  let heard = ''
  client.on('data', (text: string) => (heard += text))
  const head = `Host: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  client.write(`POST /api/orders HTTP/1.1\r\n${head}\r\n\r\n${body.slice(0, 5)}`)
  // Whoever comes later is answered, so the request has begun.
  await service.get('/livez')
  service.signal('SIGTERM')
  await service.logged('SIGTERM: stopping')
  client.write(body.slice(5))
  await once(client, 'end')
  assert.match(heard, /^HTTP\/1\.1 201 /)
  assert.match(heard, /\r\nconnection: close\r\n/i)
  assert.equal(await service.ended(), 0)
})

test('the first line says where it listens and what it uses', async () => {
  await using service = await OrderService.start({ env: { HOST: '127.0.0.1' } })
  const line = await service.logged('Listening at')
  assert.equal(line['url'], service.url)
  assert.match(String(line['redis']), /not used/)
  assert.match(String(line['database']), /node:sqlite in \/.*\/data$/)
})
