/** The operator's side of the orders: what waits, what runs, what is dead, and how to try it again. */
import type { Task, Tasks, TaskState } from 'evenkeel/tasks'
import type { FastifyInstance } from 'fastify'
import type { Guard } from '../admin.ts'
import { redriveSchema, taskIdSchema, taskListSchema } from '../task-schema.ts'

export interface TaskRoutesOptions {
  readonly tasks: Pick<Tasks, 'list' | 'get' | 'redrive' | 'counts'>
  readonly guard: Guard
}

const DEFAULT_LIMIT = 50

interface ListQuery {
  readonly limit?: string
  readonly cursor?: string
  readonly state?: TaskState
  readonly name?: string
}

export function taskRoutes(app: FastifyInstance, { tasks, guard }: TaskRoutesOptions): void {
  app.get<{ Querystring: ListQuery }>(
    '/api/tasks',
    { schema: { querystring: taskListSchema }, onRequest: guard },
    async ({ query }) => {
      const { limit = String(DEFAULT_LIMIT), ...wanted } = query
      const [page, counts] = await Promise.all([tasks.list({ ...wanted, limit: Number(limit) }), tasks.counts()])
      return { counts, tasks: page.tasks.map(shown), next_cursor: page.cursor ?? null }
    },
  )

  app.post<{ Params: { id: string } }>(
    '/api/tasks/:id/redrive',
    { schema: { params: taskIdSchema }, onRequest: guard },
    async (request, reply) => {
      const { id } = request.params
      if ((await tasks.redrive({ id })) > 0) return { id, state: 'ready' }
      const task = await tasks.get(id)
      if (task === undefined) return reply.code(404).send({ error: 'not_found', message: `There is no task ${id}.` })
      const message = `Task ${id} is ${task.state}; only dead ones can be tried again.`
      return reply.code(409).send({ error: 'not_dead', message })
    },
  )

  app.post<{ Body: { readonly name?: string; readonly limit?: number } }>(
    '/api/tasks/redrive',
    { schema: { body: redriveSchema }, onRequest: guard },
    async ({ body }) => ({ redriven: await tasks.redrive(body) }),
  )
}

/** The task in an answer. */
function shown(task: Task): Record<string, unknown> {
  const { id, name, state, payload, attempt, maxAttempts, via, worker, error } = task
  const iso = (time: Date | null): string | null => time?.toISOString() ?? null
  return {
    id,
    name,
    state,
    payload,
    attempt,
    max_attempts: maxAttempts,
    via,
    worker,
    error,
    run_at: iso(task.runAt),
    created_at: iso(task.createdAt),
    started_at: iso(task.startedAt),
    finished_at: iso(task.finishedAt),
  }
}
