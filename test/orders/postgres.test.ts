/** Orders in PostgreSQL: one server, and in it a database of its own for each test. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { scratchDirectory } from '../support/leash.ts'
import { OrderService, SEED_ORDER } from '../support/order-service.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { durabilityTests, type AttemptRow } from './durability.ts'

let server: PostgresServer
before(async () => {
  server = await PostgresServer.start()
})
after(() => server.stop())

let databases = 0

durabilityTests('orders in PostgreSQL', async () => {
  databases += 1
  const name = `orders_${databases}`
  await server.sql(`CREATE DATABASE ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return {
    options: { directory: scratchDirectory('orders-postgres'), env: { DATABASE_URL: url.href } },
    attempts: () => attemptsIn(url.href),
    // It locks rows, and the lease says when they are free again.
    writable: () => true,
  }
})

test('a name in the URL is the one that the server shows for our connections', async () => {
  const url = new URL(server.url)
  url.searchParams.set('application_name', 'till-7')
  await using service = await OrderService.start({ env: { DATABASE_URL: url.href } })
  await service.post('/api/orders/', SEED_ORDER)
  assert.notEqual((await server.sql(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'till-7'`)).length, 0)
})

async function attemptsIn(connectionString: string): Promise<AttemptRow[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<AttemptRow>('SELECT * FROM order_attempts ORDER BY at')).rows
  } finally {
    await client.end()
  }
}
