/** What becomes of orders whose tasks are dead: they say so, however many they are, and a redrive executes them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { orderTasks } from '../../examples/orders/order-tasks.ts'
import { Orders } from '../../examples/orders/orders.ts'
import { uuidv7 } from '../../examples/orders/uuid.ts'
import { createDatabase, type Database } from '../../src/database/index.ts'
import { createTasks, type Tasks } from '../../src/tasks/index.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { SEED_ORDER } from '../support/order-service.ts'
import { eventually } from '../support/wait.ts'

const directory = scratchDirectory('order-tasks')
const silent = (): void => undefined

let broken = true
let database: Database
let orders: Orders
let tasks: Tasks<ReturnType<typeof orderTasks>>

before(async () => {
  database = createDatabase({ directory })
  orders = new Orders({ database, instance: 'test', deadlineMs: 3000 })
  const definitions = orderTasks({
    orders,
    fulfil: async () => {
      if (broken) throw new Error('the provider is down')
    },
    logger: { info: silent, warn: silent, error: silent },
    completed: silent,
    announce: silent,
    tasks: () => tasks,
  })
  tasks = createTasks(definitions, { database, sweepMs: 100 })
  database.start()
  await database.ready()
})

after(async () => {
  await tasks.close({ graceMs: 100 })
  await database.close()
  removeScratch(directory)
})

async function place(maxAttempts: number): Promise<{ readonly order: string; readonly task: string }> {
  const order = uuidv7()
  return await database.transaction(async (tx) => {
    await orders.create(tx, order, SEED_ORDER)
    return { order, task: (await tasks.start('executeOrder', { orderId: order }, { tx, maxAttempts })).id }
  })
}

test('of more dead orders than fit on a page each one is closed, the oldest too', async () => {
  const placed = []
  for (let n = 0; n < 120; n += 1) placed.push(await place(1))
  await database.query(`UPDATE evenkeel_tasks SET state = 'dead', error = 'its process was killed'`)
  const { id } = await tasks.start('closeOrders', null)
  assert.equal(await tasks.run(id), 'done')
  for (const { order } of placed) assert.equal((await orders.get(order))?.status, 'failed')
})

test('an order whose attempts are used up is executed after a redrive, though their numbers begin anew', async () => {
  const { order, task } = await place(2)
  assert.equal(await tasks.run(task), 'failed')
  const ready = (): Promise<unknown> =>
    database.query(`UPDATE evenkeel_tasks SET state = 'ready' WHERE id = $1`, [task])
  await ready()
  assert.equal(await tasks.run(task), 'dead')
  assert.deepEqual(await statusAndAttempt(order), ['pending', 2])
  broken = false
  assert.equal(await tasks.redrive({ id: task }), 1)
  assert.equal(await tasks.run(task), 'done')
  assert.deepEqual(await statusAndAttempt(order), ['completed', 1])
  await eventually('nothing runs', () => tasks.report().inWork === 0)
})

async function statusAndAttempt(id: string): Promise<unknown[]> {
  const order = await orders.get(id)
  return [order?.status, order?.attempt]
}
