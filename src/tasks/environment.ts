/**
 * Reads the tasks' settings from environment variables; empty ones count as unset, as compose files leave them.
 *
 *     ENABLE_BACKGROUND_TASKS=false     keep off Redis: the database wakes the workers
 *     EVENKEEL_TASKS=auto|db|off        the same and more; wins over the other
 *     EVENKEEL_TASKS_CONCURRENCY=10
 */
import { booleanText, numberText, wordOption } from '../options.ts'
import type { TasksOptions } from './options.ts'

/** What the environment says about the tasks. */
export type TasksEnvironment = Pick<TasksOptions, 'mode' | 'modeReason' | 'concurrency'>

/**
 * Reads `process.env` or the like.
 * @throws OptionError that names what is wrong
 */
export function tasksFromEnvironment(environment: Readonly<Record<string, string | undefined>>): TasksEnvironment {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined
  const concurrency = read('EVENKEEL_TASKS_CONCURRENCY')
  return {
    ...modeIn(read),
    ...(concurrency === undefined
      ? {}
      : { concurrency: numberText('EVENKEEL_TASKS_CONCURRENCY', concurrency, { min: 1, max: 10_000 }) }),
  }
}

function modeIn(read: (name: string) => string | undefined): Pick<TasksOptions, 'mode' | 'modeReason'> {
  const mode = read('EVENKEEL_TASKS')
  if (mode !== undefined) {
    const word = wordOption('EVENKEEL_TASKS', mode.toLowerCase(), ['auto', 'db', 'off'])
    return { mode: word, modeReason: `EVENKEEL_TASKS=${mode}` }
  }
  const enabled = read('ENABLE_BACKGROUND_TASKS')
  if (enabled === undefined || booleanText('ENABLE_BACKGROUND_TASKS', enabled)) return {}
  return { mode: 'db', modeReason: `ENABLE_BACKGROUND_TASKS=${enabled}` }
}
