/** Incidents in words, for whoever reads the log at night: what happened, what it does to users, what to do. */
import type { AtRisk, Incident, IncidentPhase, Subject } from './incident.ts'

const NAMES: Readonly<Record<Subject, string>> = { redis: 'Redis', database: 'The database' }

/** What is the matter, by state; `is away` for every other. */
const CONDITIONS: Readonly<Record<string, string>> = {
  brownout: 'answers too late',
  'write-blocked': 'takes no writes',
  'not-ready': 'is not ready',
  'over-quota': 'is over its quota',
  misconfigured: 'cannot be used as it is configured',
  isolated: 'was taken out of use',
}

const EFFECTS: Readonly<Record<Subject, string>> = {
  redis: 'requests are served without Redis and nobody waits for it',
  database: 'whatever needs the database fails at once, with the reason',
}

const WRITE_BLOCKED_EFFECTS: Readonly<Record<Subject, string>> = {
  redis: 'reads and messages go on, writes to Redis are refused at once',
  database: 'reads go on, writes fail at once, with the reason',
}

/** What an outage does to the service, in a few words. */
export function effectOf({ subject, state }: Incident): string {
  return (state === 'write-blocked' ? WRITE_BLOCKED_EFFECTS : EFFECTS)[subject]
}

/** The sentence for one phase of an incident. */
export function incidentText(phase: IncidentPhase, incident: Incident): string {
  const name = NAMES[incident.subject]
  switch (phase) {
    case 'opened':
      return `${name} ${conditionOf(incident)}: ${causeOf(incident)} Effect: ${effectOf(incident)}. Next step: ${stepOf(incident)}`
    case 'cause-changed':
      return `${name} ${conditionOf(incident)} now, for another reason: ${causeOf(incident)} Next step: ${stepOf(incident)}`
    case 'returned':
      return `${name} is back after ${span(incident.awaySeconds)}. Cause: ${causesOf(incident)}${riskOf(incident)}`
    case 'flapping':
      return `${name} comes and goes: ${causeOf(incident)} Its changes are counted and told together once it is steady. Next step: ${stepOf(incident)}`
    case 'away-again':
      return `${name} ${conditionOf(incident)} and stays so: ${causeOf(incident)} Effect: ${effectOf(incident)}. Next step: ${stepOf(incident)}`
    case 'ended':
      return `${name} ${endOf(incident)} after ${interruptionsOf(incident)}, ${span(incident.awaySeconds)} away in all. Cause: ${causesOf(incident)}${riskOf(incident)}`
  }
}

function conditionOf({ state }: Incident): string {
  return CONDITIONS[state] ?? 'is away'
}

function causeOf({ causes }: Incident): string {
  return sentence(causes.at(-1)?.text ?? 'unknown')
}

function causesOf({ causes }: Incident): string {
  return causes.map(({ text }) => sentence(text)).join(' ')
}

function stepOf({ causes }: Incident): string {
  return sentence(causes.at(-1)?.nextStep ?? 'look at its log')
}

function endOf({ outcome }: Incident): string {
  return outcome === 'returned' ? 'is steady again' : 'was still away when this process let go of it,'
}

function interruptionsOf({ interruptions }: Incident): string {
  return interruptions === 1 ? 'one interruption' : `${interruptions} interruptions`
}

function riskOf({ atRisk, subject }: Incident): string {
  const parts = [unknownFateText(atRisk), refusedText(atRisk, subject)].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : ` At risk: ${parts.join('; ')}.`
}

function unknownFateText({ unknownFate }: AtRisk): string | undefined {
  if (unknownFate === 0) return undefined
  return `${calls(unknownFate)} may have run although the caller was told an error`
}

function refusedText({ refused }: AtRisk, subject: Subject): string | undefined {
  if (refused === 0) return undefined
  return `${calls(refused)} to ${subject === 'redis' ? 'Redis' : 'the database'} ${refused === 1 ? 'was' : 'were'} not made`
}

function calls(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** `0.3 s`, `42 s`, `12 min`, `3.5 h`. */
function span(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
