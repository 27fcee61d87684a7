/** Lines of a log, counted by what they mean: however long the log is, this stays small. */
import { describeError } from '../../../link/index.ts'
import { recognise, type Recognition } from './recognise.ts'
import { stampOf } from './stamp.ts'

/** One kind of line, and how often it was met. */
export interface Sighting extends Omit<Recognition, 'place'> {
  readonly count: number
  /** In the log's own words; undefined when its lines carry no time. */
  readonly firstAt: string | undefined
  readonly lastAt: string | undefined
  /** Where the trouble was, `host:port`; the first few. */
  readonly places: readonly string[]
  /** The first of these lines, secrets taken out. */
  readonly example: string
}

export interface LogSummary {
  /** The file, or `standard input`. */
  readonly source: string
  readonly lines: number
  readonly firstAt: string | undefined
  readonly lastAt: string | undefined
  /** What was there before the part that was read, in bytes. */
  readonly skippedBytes: number
  /** The heaviest and most frequent first. */
  readonly sightings: readonly Sighting[]
}

interface Counted {
  readonly what: Recognition
  readonly firstAt: string | undefined
  lastAt: string | undefined
  count: number
  readonly places: Set<string>
  readonly example: string
}

const MAX_PLACES = 5
const MAX_LINE = 4096
const MAX_EXAMPLE = 240
const WEIGHTS = ['fail', 'warn', 'info']

export class LogTally {
  readonly #source: string
  readonly #counted = new Map<string, Counted>()
  #lines = 0
  #firstAt: string | undefined
  #lastAt: string | undefined

  constructor(source: string) {
    this.#source = source
  }

  add(raw: string): void {
    if (raw === '') return
    this.#lines += 1
    const line = raw.slice(0, MAX_LINE)
    // Members of an AggregateError and causes carry no time of their own: theirs is that of the line above them.
    const at = stampOf(line) ?? this.#lastAt
    this.#firstAt ??= at
    this.#lastAt = at
    const what = recognise(line)
    if (what !== undefined) this.#count(what, line, at)
  }

  summary(skippedBytes = 0): LogSummary {
    const sightings = [...this.#counted.values()].map(sightingOf)
    return {
      source: this.#source,
      lines: this.#lines,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      skippedBytes,
      sightings: sightings.toSorted(
        (a, b) => WEIGHTS.indexOf(a.weight) - WEIGHTS.indexOf(b.weight) || b.count - a.count,
      ),
    }
  }

  #count(what: Recognition, line: string, at: string | undefined): void {
    const key = `${what.service} ${what.code} ${what.meaning}`
    const counted = this.#counted.get(key) ?? {
      what,
      firstAt: at,
      lastAt: at,
      count: 0,
      places: new Set(),
      example: line,
    }
    counted.count += 1
    counted.lastAt = at
    if (what.place !== undefined && counted.places.size < MAX_PLACES) counted.places.add(what.place)
    this.#counted.set(key, counted)
  }
}

function sightingOf({ what, firstAt, lastAt, count, places, example }: Counted): Sighting {
  const { code, service, weight, meaning, nextStep, checks } = what
  const words = describeError(example)
  const shown = words.length <= MAX_EXAMPLE ? words : `${words.slice(0, MAX_EXAMPLE - 1)}…`
  return {
    code,
    service,
    weight,
    meaning,
    nextStep,
    checks,
    count,
    firstAt,
    lastAt,
    places: [...places],
    example: shown,
  }
}
