/**
 * Says in the log when new tasks begin to get to the workers by another way, and why: once per change, not once per task.
 */
import { channels } from './channels.ts'
import type { TaskRouteMessage } from './channels.ts'
import type { Logger } from './logging.ts'

/** `database` is the name of the database whose tasks are meant. Returns the function that ends it. */
export function logTaskRoutes(logger: Logger, database: string): () => void {
  return channels.taskRoute.subscribe((message) => {
    if (message.database !== database) return
    const fields = { event: 'tasks', queue: message.queue, via: message.via, reason: message.reason }
    if (message.via === 'redis' || message.isChosen) logger.info(fields, routeText(message))
    else logger.warn(fields, routeText(message))
  })
}

function routeText({ queue, via, reason = 'no reason is known' }: TaskRouteMessage): string {
  if (via === 'redis') return `Tasks of queue '${queue}' are dispatched through Redis again.`
  const woken = via === 'database' ? ', woken at once through the database' : ''
  return `Tasks of queue '${queue}' will be processed by the scheduled sweep${woken}: ${reason}`
}
