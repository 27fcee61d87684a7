/**
 * What is done about an order after it was answered: one task per order, stored together with it.
 *
 *     executeOrder   begin ──▶ fulfil ──▶ complete, in one transaction with the end of the task
 *     closeOrders    every minute: orders whose task is dead, such as that of a process killed in each of its attempts
 */
import { defineTasks, type TaskContext, type Tasks } from 'evenkeel/tasks'
import type { Logger } from 'evenkeel'
import type { Fulfil } from './fulfil.ts'
import type { Announce } from './notifications.ts'
import type { Order } from './order.ts'
import type { Orders } from './orders.ts'

export interface ExecuteOrder {
  readonly orderId: string
}

export interface OrderTasksOptions {
  readonly orders: Pick<Orders, 'begin' | 'complete' | 'fail' | 'abandon'>
  readonly fulfil: Fulfil
  readonly logger: Logger
  /** Called when an order is completed, and that is certain. */
  readonly completed: (order: Order) => void
  /** Told of every state that an order has reached. */
  readonly announce: Announce
  /** The tasks that these definitions become. */
  readonly tasks: () => Pick<Tasks, 'list'>
}

const MAX_ATTEMPTS = 5
const RETRY_MS = 1000
const PAGE = 100

export type OrderTasks = ReturnType<typeof orderTasks>

export function orderTasks({ orders, fulfil, logger, completed, announce, tasks }: OrderTasksOptions) {
  return defineTasks({
    executeOrder: {
      retry: { attempts: MAX_ATTEMPTS, delayMs: RETRY_MS },
      async run({ orderId }: ExecuteOrder, context: TaskContext): Promise<void> {
        const { attempt, tx, signal } = context
        const order = await orders.begin(orderId, attempt)
        if (order === undefined) return
        announce(order)
        try {
          await fulfil(order, signal)
        } catch (error) {
          const status = attempt < MAX_ATTEMPTS || signal.aborted ? 'pending' : 'failed'
          const failure = { attempt, error: textOf(signal.aborted ? signal.reason : error), status } as const
          if (await orders.fail(orderId, failure)) announce({ ...order, ...failure })
          throw error
        }
        await orders.complete(tx, orderId, attempt)
        tx.afterCommit(() => {
          logger.info({ order: orderId, attempt }, `Order ${orderId} completed.`)
          completed(order)
          announce({ ...order, status: 'completed', error: null })
        })
      },
    },

    closeOrders: {
      schedule: { cron: '* * * * *', missed: 'skip' },
      async run(): Promise<void> {
        for await (const ids of deadOrders(tasks()))
          for (const order of await orders.abandon(ids, 'Every attempt at it failed.')) announce(order)
      },
    },
  })
}

/** All of them, page by page: the one that died last may be the oldest. */
async function* deadOrders(tasks: Pick<Tasks, 'list'>): AsyncGenerator<string[]> {
  let cursor: string | undefined
  do {
    const more = cursor === undefined ? {} : { cursor }
    const page = await tasks.list({ state: 'dead', name: 'executeOrder', limit: PAGE, ...more })
    yield page.tasks.map(({ payload }) => (payload as ExecuteOrder).orderId)
    cursor = page.cursor
  } while (cursor !== undefined)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
