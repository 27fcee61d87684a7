/**
 * Payloads and results: checked by what the definition says, and kept as JSON.
 */
import { inspect } from 'node:util'
import { TaskError } from '../errors.ts'
import type { StandardResult, Validate } from './definitions.ts'

/**
 * The payload to use.
 * @throws TaskError `TASK_PAYLOAD`
 */
export async function validPayload(name: string, payload: unknown, validate: Validate | undefined): Promise<unknown> {
  if (validate === undefined) return payload
  try {
    if (typeof validate === 'function') return await validate(payload)
    const result = await validate['~standard'].validate(payload)
    if (result.issues === undefined) return result.value
    throw new Error(issuesText(result.issues))
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new TaskError('TASK_PAYLOAD', `The payload of the task '${name}' was refused: ${text}`, { cause })
  }
}

function issuesText(issues: NonNullable<StandardResult['issues']>): string {
  return issues
    .map(({ message, path = [] }) => (path.length === 0 ? message : `${pathText(path)}: ${message}`))
    .join('; ')
}

function pathText(path: readonly unknown[]): string {
  const key = (part: unknown): unknown => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part)
  return path.map((part) => String(key(part))).join('.')
}

/**
 * JSON text; nothing is null.
 * @throws TaskError when it cannot be written as JSON
 */
export function jsonText(value: unknown, what: string): string {
  try {
    // The types leave out that nothing gives nothing.
    const text: unknown = JSON.stringify(value)
    return typeof text === 'string' ? text : 'null'
  } catch (cause) {
    throw new TaskError('TASK_JSON', `${what} cannot be written as JSON.`, { cause })
  }
}

const ERROR_AT_MOST = 4000
const CAUSES_AT_MOST = 5

/** An error as it is stored: its causes in one line. Never throws, whatever was thrown. */
export function errorText(error: unknown): string {
  try {
    return storable(textsOf(error).join(': ').slice(0, ERROR_AT_MOST))
  } catch {
    // Reading it ran code of its own, which failed.
    return 'What was thrown cannot be read.'
  }
}

function textsOf(error: unknown): string[] {
  const parts = [oneText(error)]
  let at = error instanceof Error ? error.cause : undefined
  while (at !== undefined && at !== null && parts.length < CAUSES_AT_MOST) {
    parts.push(oneText(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return parts
}

/** Text as every database takes it: PostgreSQL refuses zero bytes and halves of a pair, such as a cut may leave. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

function oneText(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return typeof error === 'string' ? error : inspect(error, { depth: 1 })
}
