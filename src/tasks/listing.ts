/**
 * Which tasks `list()` shows, checked.
 */
import { OptionError } from '../errors.ts'
import { knownOptions, numberOption, wordOption } from '../options.ts'
import type { ListFilter } from './store/store.ts'
import { TASK_STATES } from './task.ts'
import type { ListOptions } from './tasks.ts'
import { isUuid } from './uuid7.ts'

const LIMIT = 50
const LIMIT_AT_MOST = 500

/** @throws OptionError that names what is wrong */
export function filterFor(options: ListOptions): ListFilter & { readonly limit: number } {
  knownOptions('list()', options, ['state', 'name', 'cursor', 'limit'])
  const { state, name, cursor, limit = LIMIT } = options
  numberOption('limit', limit, { min: 1, max: LIMIT_AT_MOST })
  if (state !== undefined) wordOption('state', state, TASK_STATES)
  if (cursor !== undefined && !isUuid(cursor))
    throw new OptionError('cursor', `Expected 'cursor' to come from the page before, got '${cursor}'.`)
  return {
    ...(state === undefined ? {} : { state }),
    ...(name === undefined ? {} : { name }),
    ...(cursor === undefined ? {} : { before: cursor }),
    limit,
  }
}
