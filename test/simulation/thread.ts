/** A thread that plays the seeds it is given; with a mutation it loads its own, mutated copy of the source. */
import { registerHooks } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { mutated, MUTATIONS, type MutationName } from './mutations.ts'
import type { Simulated } from './simulate.ts'

/** Seeds from one to the next, the latter not included. */
export interface Order {
  readonly from: number
  readonly to: number
}

export interface Report {
  readonly played: number
  readonly virtualMs: number
  readonly operations: number
  /** Those with violations, without their trace. */
  readonly failed: readonly Simulated[]
}

const { mutation } = workerData as { readonly mutation: MutationName | undefined }
if (mutation !== undefined) takeOut(mutation)
// Stacks are for people, and cost half of what an error costs; a replay has them.
Error.stackTraceLimit = 0
// Loaded here, because the mutation must be in place before.
const { simulate, watchRejections } = await import('./simulate.ts')
watchRejections()
parentPort?.on('message', (order: Order) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
  void play(order).then((report) => parentPort?.postMessage(report))
})

async function play({ from, to }: Order): Promise<Report> {
  const failed: Simulated[] = []
  let virtualMs = 0
  let operations = 0
  for (let seed = from; seed < to; seed++) {
    const simulated = await simulate(seed)
    virtualMs += simulated.virtualMs
    operations += simulated.operations
    if (simulated.violations.length > 0) failed.push(simulated)
  }
  return { played: to - from, virtualMs, operations, failed }
}

function takeOut(name: MutationName): void {
  const mutation = MUTATIONS[name]
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.endsWith(`/src/link/${mutation.file}`)) return loaded
      return { ...loaded, source: mutated(Buffer.from(loaded.source as Uint8Array).toString(), mutation) }
    },
  })
}
