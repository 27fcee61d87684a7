/** Sees whether what was set up works: every wanted address is checked as an application would use it. */
import type { Clock } from '../../clock.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { failureOf } from '../diagnosis.ts'
import type { Host } from '../host.ts'
import type { Target } from '../targets.ts'
import { checkUntilServed } from '../wait.ts'
import { isListening } from './listeners.ts'
import type { Proof } from './plan.ts'

export interface Proven {
  readonly what: string
  readonly ok: boolean
  /** What was seen. */
  readonly detail: string
}

export interface ProveOptions {
  readonly host: Host
  readonly clock: Clock
  readonly withinMs: number
}

const LOOK_EVERY_MS = 250

/** In the order of the proofs. */
export async function prove(proofs: readonly Proof[], options: ProveOptions): Promise<readonly Proven[]> {
  const targets = proofs.flatMap((proof) => (proof.kind === 'serves' ? [proof.target] : []))
  const { clock, withinMs: waitMs } = options
  const diagnoses = await checkUntilServed(targets, { waitMs, clock, probes: 0 })
  const proven: Proven[] = []
  for (const proof of proofs) {
    if (proof.kind === 'serves') proven.push(served(proof.target, diagnoses[targets.indexOf(proof.target)]))
    else proven.push(await listens(proof, options))
  }
  return proven
}

function served({ place }: Target, diagnosis: Diagnosis | undefined): Proven {
  const what = `Redis answers at ${place}`
  if (diagnosis === undefined) return { what, ok: false, detail: 'it was not checked' }
  const failure = failureOf(diagnosis)
  if (failure === undefined) return { what, ok: true, detail: diagnosis.layers.map(({ name }) => name).join(', ') }
  const { meaning = '', code = '' } = failure.finding ?? {}
  return { what, ok: false, detail: `${failure.name}: ${failure.detail.replace(/\.$/, '')}. ${meaning} [${code}]` }
}

/** Also where no interface has the address yet. Asked again until the time is over: a service that is being started needs a moment. */
async function listens({ address, port }: Proof & { kind: 'listens' }, options: ProveOptions): Promise<Proven> {
  const { host, clock, withinMs } = options
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  const what = `Redis listens at ${place}`
  const endsAt = clock.now() + withinMs
  while (!(await isListening(host, address, port))) {
    if (clock.now() >= endsAt) return { what, ok: false, detail: 'no socket listens there' }
    await new Promise<void>((resolve) => void clock.setTimer(resolve, LOOK_EVERY_MS))
  }
  return { what, ok: true, detail: 'the socket is open' }
}
