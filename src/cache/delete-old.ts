/**
 * Gives back the memory of values that nobody believes any more, because the server was restarted or failed over since
 * (`afterRestart: 'flush'`). They would end by themselves, but up to their whole life later. It runs behind everything else,
 * and may end half-way.
 */
import { Script } from '../link/index.ts'
import { generationMark, MARK } from './envelope.ts'
import { scan, type Search } from './scan.ts'

/** Deletes a value (it begins with ARGV[1]) that is of another generation (it does not begin with ARGV[2]). */
export const DELETE_OLD = new Script(`local head = redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1)
if string.sub(head, 1, #ARGV[1]) ~= ARGV[1] or head == ARGV[2] then return 0 end
return redis.call('UNLINK', KEYS[1])`)

export interface OldValues extends Omit<Search, 'pattern' | 'signal'> {
  /** The generation that counts now. */
  readonly generation: () => number
}

/** @throws LinkError when Redis fails on the way */
export async function deleteOld(values: OldValues): Promise<void> {
  const { link, names, deadlineMs } = values
  const generation = values.generation()
  const args = [MARK, generationMark(generation)]
  for await (const keys of scan({ ...values, pattern: '*' })) {
    // Moved on once more: whoever moved it looks again.
    if (values.generation() !== generation) return
    await Promise.all(keys.map((key) => DELETE_OLD.run(link, { keys: [names.entry(key)], args, deadlineMs })))
  }
}
