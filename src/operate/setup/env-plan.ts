/**
 * A .env for the application, with the address at which it really reaches Redis from where it runs:
 *
 *     Redis in compose    a container uses the name of the service; the host a published port on 127.0.0.1
 *     Redis on the host   a container uses an address that Redis binds; `host-gateway` is docker0 and often not among them
 */
import { dirname, join } from 'node:path'
import { onDisk, placeIn, readState } from './disk.ts'
import type { FileChange, Plan, Reasoned } from './plan.ts'
import type { Reach } from './env/reach.ts'

export interface EnvOptions {
  /** @default '.env' */
  readonly output?: string | undefined
  /** @default '/' */
  readonly root?: string | undefined
  readonly reach: Reach
  /** Names beside REDIS_URL, each with a database number, such as `CELERY_BROKER_URL` with 1. @default none */
  readonly variables?: Readonly<Record<string, number>>
}

/** @throws EvenkeelError when the file cannot be read */
export async function planEnv({ output = '.env', root = '/', reach, variables = {} }: EnvOptions): Promise<Plan> {
  const path = placeIn(root, output)
  const before = await readState(await onDisk(root, path))
  const extra = Object.entries(variables).map(([name, database]) => ({ ...reach.redis, name, database }))
  const all = [...reach.variables, ...extra]
  const values = all.map(({ name, url, database }) => [name, url(reach.password, database)] as const)
  const shown = all.map(({ name, url, database, why }) => ({ line: `${name}=${url('***', database)}`, why }))
  const file: FileChange = {
    path,
    before,
    after: values.reduce((text, [name, value]) => withVariable(text, name, value), before?.text ?? ''),
    mode: 0o600,
    secret: true,
    reasons: shown satisfies readonly Reasoned[],
  }
  return {
    name: 'env',
    choice: reach.choice,
    root,
    journal: join(dirname(path), '.evenkeel'),
    files: [file],
    steps: [],
    proofs: [],
    notes: [...reach.notes, KEEP_OUT],
  }
}

const KEEP_OUT =
  'The file holds passwords, and so does the old one that stays beside it as *.evenkeel-<time>: keep both out of the repository.'

/** In the place of every line that says it: which of several counts depends on who reads the file. Else at the end. */
function withVariable(text: string, name: string, value: string): string {
  const pattern = new RegExp(`^([ \\t]*(?:export[ \\t]+)?)${name}[ \\t]*=[^\\r\\n]*`, 'gm')
  const changed = text.replace(pattern, (_, lead: string) => `${lead}${name}=${value}`)
  if (pattern.test(text)) return changed
  return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${name}=${value}\n`
}
