/**
 * A process that shares a limit with others: `node limits-child.ts <url> <counting> <max> <windowMs>`. It is told what to do by lines
 * on its input, answers each with a line of JSON, and ends with its input.
 *
 *     take 50     asks 50 times, one after the other
 *     state       how it sees Redis and its siblings
 */
import { createInterface } from 'node:readline'
import { createLimits, type Counting } from 'evenkeel/limits'
import { createLink } from 'evenkeel/link'

const [url = '', counting = '', max = '', windowMs = ''] = process.argv.slice(2)
const link = createLink({ url, name: `child-${process.pid}` })
const limits = createLimits({ link })
const limit = limits.limit('api', { max: Number(max), windowMs: Number(windowMs), counting: counting as Counting })
limits.start()
link.start()

for await (const line of createInterface({ input: process.stdin })) {
  const [word, times = '0'] = line.split(' ')
  const answer = word === 'take' ? await take(Number(times)) : state()
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
limits.close()
await link.close()

function state(): object {
  return { serves: link.health.can.write, instances: limits.instances }
}

async function take(times: number): Promise<object> {
  let allowed = 0
  let slowestMs = 0
  const policies = new Set<string>()
  for (let turn = 0; turn < times; turn++) {
    const startedAt = performance.now()
    const verdict = await limit.take('k')
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    policies.add(verdict.policy)
    if (verdict.allowed) allowed += 1
  }
  return { allowed, slowestMs, policies: [...policies] }
}
