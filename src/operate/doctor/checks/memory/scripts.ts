/** Does an application send a new script each time? */
import { ok, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import { told } from '../words.ts'

/** As MEMORY DOCTOR has it. */
const MANY = 1000

export const scripts: PlainCheck<'info'> = {
  id: 'memory.scripts',
  layer: 'memory',
  title: 'cached Lua scripts',
  why: 'Scripts with values written into their text are all different, and before Redis 7.4 none of them is ever forgotten.',
  severity: 'warn',
  needs: ['info'],
  judge: ({ info }) => {
    const evidence = told(info, 'number_of_cached_scripts', 'used_memory_scripts_human', 'used_memory_lua_human')
    if (!(numberIn(info, 'number_of_cached_scripts') > MANY)) return ok('Few.', evidence)
    return [
      {
        state: 'warn',
        summary: 'An application makes a new script of each call.',
        evidence,
        fix: {
          text: 'Hand values over as KEYS and ARGV and keep the text the same. What has piled up goes with a flush.',
          commands: ['redis-cli SCRIPT FLUSH ASYNC'],
        },
      },
    ]
  },
}
