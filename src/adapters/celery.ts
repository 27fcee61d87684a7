/**
 * Celery as the way of tasks to workers in Python: the row is the task, a message of Celery's protocol 2 carries its id, and the
 * Python side claims the row and ends the attempt behind the fence, by SQL or through `tasksEndpoint()`.
 *
 *     const broker = createLink({ url: process.env.CELERY_BROKER_URL, name: 'celery' })
 *     const tasks = keel.tasks({ executeOrder: celeryTask<{ orderId: string }>(broker, { queue: 'celery' }) })
 *     await tasks.start('executeOrder', { orderId }, { tx })     // Python: @app.task(name='executeOrder') def run(task_id): …
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { EvenkeelError } from '../errors.ts'
import type { OfferedTask, TaskDefinition, TaskOutlet } from '../tasks/index.ts'

/** What sends to the Redis of Celery's broker: a link, with the number of Celery's database in its URL. */
export interface CeleryBroker {
  send(args: readonly string[], options: { readonly deadlineMs: number }): Promise<unknown>
}

export interface CeleryOptions {
  /** `task_default_queue` of the Celery application. @default 'celery' */
  readonly queue?: string
  /** `global_keyprefix` of its broker's transport options. @default '' */
  readonly keyPrefix?: string
  /** Name of the Celery task. @default the name of the definition */
  readonly task?: string
}

/** Definition of a task that Python does; whatever else a definition may say goes beside it. */
export interface CeleryTask<Payload> extends TaskDefinition<Payload> {
  readonly outlet: TaskOutlet
}

/** A definition whose tasks Celery's workers do. This process stores them, offers them, and never runs one. */
export function celeryTask<Payload>(
  broker: CeleryBroker,
  options: CeleryOptions & Omit<TaskDefinition<Payload>, 'run' | 'outlet'> = {},
): CeleryTask<Payload> {
  const { queue, keyPrefix, task, ...definition } = options
  return {
    ...definition,
    outlet: celeryOutlet(broker, options),
    run: (payload) => {
      void payload
      throw new EvenkeelError('TASK_OUTLET', 'This task is done by Celery, and not in this process.')
    },
  }
}

/** The outlet alone. Ids are pushed in one command; a task may be told twice, and is claimed once. */
export function celeryOutlet(broker: CeleryBroker, options: CeleryOptions = {}): TaskOutlet {
  const { queue = 'celery', keyPrefix = '' } = options
  return {
    name: 'Celery',
    elsewhere: true,
    async offer(tasks, deadlineMs) {
      const messages = tasks.map((task) => celeryMessage(task, options))
      await broker.send(['LPUSH', `${keyPrefix}${queue}`, ...messages], { deadlineMs })
    },
  }
}

/**
 * A message as kombu 5 puts it into a Redis list for a task called with one argument, the id: protocol 2, JSON, body in base64.
 * Results are ignored on Celery's side, for they are in the row.
 * https://docs.celeryq.dev/en/stable/internals/protocol.html
 */
export function celeryMessage(
  { id, name }: OfferedTask,
  { queue = 'celery', task = name }: CeleryOptions = {},
): string {
  const embed = { callbacks: null, errbacks: null, chain: null, chord: null }
  return JSON.stringify({
    body: Buffer.from(JSON.stringify([[id], {}, embed])).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: headersOf(id, task),
    properties: {
      correlation_id: id,
      reply_to: '',
      delivery_mode: 2,
      delivery_info: { exchange: '', routing_key: queue },
      priority: 0,
      body_encoding: 'base64',
      // Celery keeps what it has not acknowledged under this: each message needs its own.
      delivery_tag: randomUUID(),
    },
  })
}

function headersOf(id: string, task: string): Record<string, unknown> {
  return {
    lang: 'js',
    task,
    id,
    shadow: null,
    eta: null,
    expires: null,
    group: null,
    group_index: null,
    retries: 0,
    timelimit: [null, null],
    root_id: id,
    parent_id: null,
    argsrepr: `['${id}']`,
    kwargsrepr: '{}',
    origin: `evenkeel@${hostname()}`,
    ignore_result: true,
    replaced_task_nesting: 0,
    stamped_headers: null,
    stamps: {},
  }
}
