/**
 * What topics there are, what their payloads look like, and whether their events are kept for replay.
 *
 *     const topics = defineTopics({
 *       'order.created': topic<{ orderId: string }>({ delivery: 'stream' }),
 *       'order.*': topic<{ orderId: string; status: string }>({ delivery: 'stream' }),
 *       'price.changed': topic<{ product: string; cents: number }>(),
 *     })
 */
import { EventError, OptionError } from '../errors.ts'
import { knownOptions, wordOption } from '../options.ts'

/** `once`: whoever listens gets it, at most once. `stream`: kept for a while as well, and replayed to whoever missed it. */
export type Delivery = 'once' | 'stream'

/** A validator as Zod, Valibot, ArkType and others offer it (standardschema.dev); one that answers at once. */
export interface PayloadSchema {
  readonly '~standard': {
    validate(value: unknown): PayloadVerdict | Promise<PayloadVerdict>
  }
}

/** `issues` are there when the value was refused. */
export interface PayloadVerdict {
  readonly value?: unknown
  readonly issues?: readonly { readonly message: string }[] | undefined
}

/** Returns the payload to use, or throws; or a schema that does so. */
export type ValidatePayload = ((payload: unknown) => unknown) | PayloadSchema

export interface TopicOptions {
  /** `once`: at most once, to whoever listens. `stream`: replayed to whoever missed it as well. @default 'once' */
  readonly delivery?: Delivery
  /** Checked when an event is published. @default every payload that is JSON */
  readonly validate?: ValidatePayload
}

/** One kind of event. `Payload` is known to the compiler only. */
export interface TopicDefinition<Payload = unknown> extends TopicOptions {
  /** Never there: it carries the type. */
  readonly '~payload'?: Payload
}

/** Kinds of events by their topic. `*` in a name stands for any text: `order.*` are all topics that begin with `order.`. */
export type TopicDefinitions = Readonly<Record<string, TopicDefinition>>

/** The topics that a name with `*` stands for. */
export type TopicIn<Name extends string> = Name extends `${infer Head}*${infer Tail}`
  ? `${Head}${string}${TopicIn<Tail>}`
  : Name

/** What the events of one definition carry. */
export type PayloadOf<Definition extends TopicDefinition> =
  Definition extends TopicDefinition<infer Payload> ? Payload : never

/** Every topic that the definitions permit. */
export type TopicOf<Definitions extends TopicDefinitions> = TopicIn<keyof Definitions & string>

/** What an event with this topic carries: of its own definition, or else of those whose `*` it falls under. */
export type PayloadFor<Definitions extends TopicDefinitions, Topic extends string> = Topic extends keyof Definitions
  ? PayloadOf<Definitions[Topic]>
  : {
      [Name in keyof Definitions & string]: Topic extends TopicIn<Name> ? PayloadOf<Definitions[Name]> : never
    }[keyof Definitions & string]

/** Names of definitions whose events a topic or pattern may bring. */
export type NamesIn<Definitions extends TopicDefinitions, Pattern extends string> = {
  [Name in keyof Definitions & string]: TopicIn<Name> extends TopicIn<Pattern>
    ? Name
    : TopicIn<Pattern> extends TopicIn<Name>
      ? Name
      : never
}[keyof Definitions & string]

/** A definition with its payload's type: `topic<{ orderId: string }>({ delivery: 'stream' })`. */
export function topic<Payload = unknown>(options: TopicOptions = {}): TopicDefinition<Payload> {
  return options
}

/** Returns what it is given, with its types: for definitions that several modules share. */
export function defineTopics<Definitions extends TopicDefinitions>(definitions: Definitions): Definitions {
  return definitions
}

/** Topics without a definition of their own: everything is permitted, and sent once. */
export type AnyTopics = Readonly<Record<'*', TopicDefinition>>

const PATTERN = /^[\w.:@/*-]{1,200}$/
const NAMES = ['delivery', 'validate', '~payload']

/** The definitions as they are looked up. */
export class Topics {
  readonly #exact = new Map<string, TopicDefinition>()
  readonly #patterns: { readonly name: string; readonly definition: TopicDefinition; readonly test: TopicTest }[] = []

  /** @throws OptionError that names the definition which cannot work */
  constructor(definitions: TopicDefinitions) {
    for (const [name, definition] of Object.entries(definitions)) {
      if (!PATTERN.test(name))
        throw new OptionError(
          name,
          `Expected a topic of letters, digits, . : @ / _ - and *, 200 at most; got '${name}'.`,
        )
      knownOptions(`the topic '${name}'`, definition, NAMES)
      if (definition.delivery !== undefined) wordOption(`${name}.delivery`, definition.delivery, ['once', 'stream'])
      if (name.includes('*')) this.#patterns.push({ name, definition, test: topicTest(name) })
      else this.#exact.set(name, definition)
    }
  }

  /**
   * The definition of a topic: its own, or else the first whose `*` it falls under.
   * @throws EventError `EVENT_TOPIC` when there is none
   */
  of(name: string): TopicDefinition {
    const found = this.#exact.get(name) ?? this.#patterns.find(({ test }) => test(name))?.definition
    if (found === undefined || name.includes('*') || !PATTERN.test(name)) {
      const known = [...this.#exact.keys(), ...this.#patterns.map((pattern) => pattern.name)].join(', ')
      throw new EventError('EVENT_TOPIC', `There is no topic '${name}'; known: ${known}.`)
    }
    return found
  }

  /**
   * How the events arrive that a topic or pattern may bring.
   * @throws EventError `EVENT_TOPIC` when it can bring none
   */
  deliveriesIn(pattern: string): ReadonlySet<Delivery> {
    if (!pattern.includes('*')) return new Set([this.of(pattern).delivery ?? 'once'])
    const test = topicTest(pattern)
    const found = [...this.#exact].filter(([name]) => test(name)).map(([, definition]) => definition)
    // Whether two patterns meet is not worth an answer: those with definitions of their own may always bring something.
    const all = [...found, ...this.#patterns.map(({ definition }) => definition)]
    if (all.length === 0 || !PATTERN.test(pattern))
      throw new EventError('EVENT_TOPIC', `No topic falls under '${pattern}'.`)
    return new Set(all.map(({ delivery = 'once' }) => delivery))
  }
}

/** Does a topic fall under it? */
export type TopicTest = (topic: string) => boolean

/**
 * Whether a topic falls under a pattern, in which `*` stands for any text, as in Redis. For adapters: one subscription that serves
 * several patterns sorts its events by it.
 */
export function topicTest(pattern: string): TopicTest {
  if (!pattern.includes('*')) return (name) => name === pattern
  const source = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`))
  const expression = new RegExp(`^${source.join('.*')}$`, 's')
  return (name) => expression.test(name)
}

/**
 * The payload to use.
 * @throws EventError `EVENT_PAYLOAD`
 */
export function validPayload(name: string, payload: unknown, validate: ValidatePayload | undefined): unknown {
  if (validate === undefined) return payload
  try {
    const checked =
      typeof validate === 'function' ? { value: validate(payload) } : validate['~standard'].validate(payload)
    if (checked instanceof Promise || checked.value instanceof Promise)
      throw new Error('its check takes time, and events are delivered at once')
    if (checked.issues === undefined) return checked.value
    throw new Error(checked.issues.map(({ message }) => message).join('; '))
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new EventError('EVENT_PAYLOAD', `The payload of the event '${name}' was refused: ${text}`, { cause })
  }
}
