/** Does the eviction policy suit what the data is for? */
import { nothingToJudge, ok, type Outcome, type PlainCheck } from '../../check.ts'
import { numberIn } from '../../evidence/fields.ts'
import type { Purpose, Use } from '../../evidence/server-values.ts'
import { setting, told } from '../words.ts'

/** What nobody can make again when it is gone. */
const KEPT: readonly Purpose[] = ['queue', 'sessions', 'results', 'checkpoints', 'events']

export const policy: PlainCheck<'info' | 'purposes'> = {
  id: 'memory.policy',
  layer: 'memory',
  title: 'maxmemory-policy against what the data is for',
  why: 'An allkeys policy evicts queued tasks and sessions without a word: no client sees an error. There is one policy for all databases of an instance.',
  severity: 'fail',
  needs: ['info', 'purposes'],
  judge: ({ info, purposes: { uses, source } }) => {
    const name = info.get('maxmemory_policy') ?? ''
    if (uses.length === 0)
      return nothingToJudge(
        'What the data is for is not known: say it with --role, such as --role cache=db0,queue=db1.',
      )
    const kept = uses.filter(({ purpose }) => KEPT.includes(purpose))
    const evidence = [
      ...told(info, 'maxmemory_policy', 'maxmemory', 'evicted_keys'),
      ...uses.map((use) => `${useText(use)} (${source})`),
    ]
    const limited = numberIn(info, 'maxmemory') > 0
    return outcomeOf({ name, kept, uses, limited, evidence })
  },
}

interface Case {
  readonly name: string
  readonly kept: readonly Use[]
  readonly uses: readonly Use[]
  /** Without a limit nothing is evicted, whatever the policy. */
  readonly limited: boolean
  readonly evidence: readonly string[]
}

function outcomeOf({ name, kept, uses, limited, evidence }: Case): readonly Outcome[] {
  const whom = [...new Set(kept.map(({ purpose }) => purpose))].join(', ')
  const bad = limited ? 'fail' : 'warn'
  const unlimited = limited ? '' : ' as soon as there is a limit'
  if (kept.length > 0 && name.startsWith('allkeys-'))
    return [{ state: bad, summary: `${name} evicts ${whom}${unlimited}.`, evidence, ...split(name) }]
  const expiring = kept.filter((use) => use.expiring > 0)
  if (expiring.length > 0 && name.startsWith('volatile-') && name !== 'volatile-ttl')
    return [
      {
        state: 'warn',
        summary: `${name} evicts ${expiring.map(({ purpose }) => purpose).join(', ')} that have a time to live${unlimited}.`,
        evidence,
        ...split(name),
      },
    ]
  if (kept.length === 0 && name === 'noeviction' && uses.some(({ purpose }) => purpose === 'cache'))
    return [
      {
        state: limited ? 'warn' : 'info',
        summary: 'A cache that never evicts refuses writes once it is full.',
        evidence,
        fix: { text: 'Let it evict what is used least.', commands: setting('maxmemory-policy', 'allkeys-lfu') },
        undo: { text: 'Take it back.', commands: setting('maxmemory-policy', name) },
      },
    ]
  return ok(`${name} suits what is kept here.`, evidence)
}

function split(name: string): Pick<Outcome, 'fix' | 'undo'> {
  return {
    fix: {
      text: 'Stop the eviction now; then give cache and queue an instance each, for another database number has the same policy. Where it must stay one instance, volatile-ttl does least harm.',
      commands: setting('maxmemory-policy', 'noeviction'),
    },
    undo: { text: 'Take it back.', commands: setting('maxmemory-policy', name) },
  }
}

function useText({ purpose, where, sampled, expiring }: Use): string {
  return `${purpose} in ${where}: ${sampled} keys of the sample, ${expiring} with a time to live`
}
