/** The metrics of the events: what was published and delivered, and what somebody missed. */
import type { EventStats, PublishedVia } from '../events/index.ts'
import type { ReportedEvents } from './events-report.ts'
import type { Family, Sample } from './metric-family.ts'

type Source = () => readonly ReportedEvents[]
type Figure = (stats: EventStats) => number

const PLACES: readonly PublishedVia[] = ['redis', 'database', 'local']

const COUNTERS: readonly (readonly [name: string, help: string, read: Figure])[] = [
  ['delivered', 'Events given to listeners, each listener counted.', ({ delivered }) => delivered],
  ['replayed', 'Of them, from a replay.', ({ replayed }) => replayed],
  ['duplicates', 'Events that came a second time and were not delivered again.', ({ duplicates }) => duplicates],
  ['gaps', 'Interruptions after which events may have been missed.', ({ gaps }) => gaps],
  ['incomplete', 'Times a subscriber was told that not everything is to be had.', ({ incomplete }) => incomplete],
  ['dropped', 'Events dropped because a subscriber was too slow.', ({ dropped }) => dropped],
  ['listener_errors', 'Listeners that threw or rejected.', ({ failed }) => failed],
  ['lost', 'Events that were given up before anything had them for a replay.', ({ lost }) => lost],
]

/** Adds the metrics of all events; without a source there are none. */
export function addEventMetrics(family: Family, source: Source | undefined): void {
  if (source === undefined) return
  const each = (samples: (events: string, stats: EventStats) => readonly Sample[]): readonly Sample[] =>
    source().flatMap(({ name, stats }) => samples(name, stats))
  family.counter({
    name: 'evenkeel_events_published_total',
    help: 'Events published by this process, by how far they had got when the publisher went on.',
    labels: ['events', 'via'],
    read: () => each((events, { via }) => PLACES.map((place): Sample => [{ events, via: place }, via[place]])),
  })
  for (const [name, help, read] of COUNTERS)
    family.counter({
      name: `evenkeel_events_${name}_total`,
      help,
      labels: ['events'],
      read: () => each((events, stats) => [[{ events }, read(stats)]]),
    })
  family.gauge({
    name: 'evenkeel_events_place',
    help: 'How events get to other processes: 1 for the way in use.',
    labels: ['events', 'place'],
    read: () =>
      each((events, stats) => PLACES.map((place): Sample => [{ events, place }, stats.place === place ? 1 : 0])),
  })
  family.gauge({
    name: 'evenkeel_events_held',
    help: 'Events that only the memory of this process holds, for Redis to be told.',
    labels: ['events'],
    read: () => each((events, { held }) => [[{ events }, held]]),
  })
  family.gauge({
    name: 'evenkeel_events_subscribers',
    help: 'Subscribers in this process.',
    labels: ['events'],
    read: () => each((events, { subscribers }) => [[{ events }, subscribers]]),
  })
}
