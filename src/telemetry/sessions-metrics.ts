/** The metrics of the sessions: where they are looked for, and what Redis has not been told. */
import type { Kept, SealStats, Sessions, SessionStats } from '../sessions/index.ts'
import type { Family, Sample } from './metric-family.ts'

type Source = () => readonly Pick<Sessions, 'stats'>[]

const PLACES: readonly Kept[] = ['redis', 'database', 'memory']

const FIGURES: readonly (readonly [name: string, help: string, field: 'owed' | 'remembered'])[] = [
  ['evenkeel_sessions_owed', 'Changes that only the memory of this process holds, for Redis to be told.', 'owed'],
  ['evenkeel_sessions_remembered', 'Sessions that this process remembers for an outage.', 'remembered'],
]

const SEALS: readonly (readonly [outcome: string, field: keyof SealStats])[] = [
  ['made', 'sealed'],
  ['opened', 'unsealed'],
  ['refused', 'sealsRefused'],
  ['too_large', 'sealsTooLarge'],
]

/** Adds the metrics of all sessions; those of several kinds are told apart by a number. */
export function addSessionMetrics(family: Family, source: Source | undefined): void {
  if (source === undefined) return
  const each = (samples: (sessions: string, stats: SessionStats) => readonly Sample[]): readonly Sample[] =>
    source().flatMap(({ stats }, index) => samples(String(index + 1), stats))
  family.gauge({
    name: 'evenkeel_sessions_place',
    help: 'Where sessions are looked for: 1 for the place in use.',
    labels: ['sessions', 'place'],
    read: () =>
      each((sessions, stats) => PLACES.map((place): Sample => [{ sessions, place }, stats.place === place ? 1 : 0])),
  })
  for (const [name, help, field] of FIGURES)
    family.gauge({
      name,
      help,
      labels: ['sessions'],
      read: () => each((sessions, stats) => [[{ sessions }, stats[field]]]),
    })
  family.counter({
    name: 'evenkeel_sessions_revived_total',
    help: 'Saves of sessions that had been logged out; they were not stored.',
    labels: ['sessions'],
    read: () => each((sessions, stats) => [[{ sessions }, stats.revived]]),
  })
  family.counter({
    name: 'evenkeel_sessions_seals_total',
    help: 'Sealed copies of sessions for cookies: made, opened, refused, and not made because the session was too large.',
    labels: ['sessions', 'outcome'],
    read: () =>
      each((sessions, stats) => SEALS.map(([outcome, field]): Sample => [{ sessions, outcome }, stats[field]])),
  })
}
