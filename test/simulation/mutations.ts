/**
 * Mechanisms taken out of the source, one at a time: a simulation that finds nothing proves little unless it finds what was
 * broken on purpose. The text must stand in the file exactly once; when the source changes, this list changes with it.
 */

export interface Mutation {
  /** Path below `src/link/`. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Rules of which at least one must be seen broken. */
  readonly breaks: readonly string[]
}

export const MUTATIONS = {
  'no watchdog on silence': {
    file: 'pending.ts',
    find: 'this.#missed > 0 ? this.#silentSince() : Infinity',
    replace: 'Infinity',
    breaks: ['A7'],
  },
  'no heartbeat': { file: 'activities.ts', find: 'if (due) ask()', replace: '', breaks: ['A7'] },
  'no brownout': {
    file: 'supervisor.ts',
    find: 'late && this.#window.brownout(wire.replies)',
    replace: 'false',
    breaks: ['A7'],
  },
  'pauses begin anew with every handshake': {
    file: 'supervisor.ts',
    find: 'this.#clock.now() - this.#adoptedAt >= this.#settings.reconnect.capMs',
    replace: 'true',
    breaks: ['A10'],
  },
  'a deadline half as long again': {
    file: 'single-link.ts',
    find: 'new Call(args, deadlineMs, options.buffers)',
    replace: 'new Call(args, deadlineMs * 1.5, options.buffers)',
    breaks: ['A1'],
  },
  'waiting for a connection without end': {
    file: 'blocking.ts',
    find: 'clock, settings.readDeadlineMs, () => {',
    replace: 'clock, 1e9, () => {',
    breaks: ['A1'],
  },
  'calls on a lost connection are forgotten': {
    file: 'wire.ts',
    find: 'this.#connection.kill()\n    this.#failAll(reason, executed)',
    replace: 'this.#connection.kill()',
    breaks: ['A2'],
  },
  'a call without an answer is sent again': {
    file: 'single-link.ts',
    find: ': wire.dispatch(call)',
    replace:
      ": wire.dispatch(call).catch((error) => { if (error.code === 'LINK_DEADLINE') return this.send(args, options); throw error })",
    breaks: ['A4'],
  },
  'a lost call is said not to have run': {
    file: 'wire.ts',
    find: "executed: Executed = 'maybe'",
    replace: "executed: Executed = 'no'",
    breaks: ['A5'],
  },
  'a server that serves nobody yet is used without its database': {
    file: 'connector.ts',
    find: 'patience && this.#authenticated',
    replace: 'patience',
    breaks: ['A5', 'A13'],
  },
  'a fence that stays open too long': {
    file: 'fence.ts',
    find: 'until + this.#offset.ms',
    replace: 'until + 100 + this.#offset.ms',
    breaks: ['F1'],
  },
  'no back-off': {
    file: 'backoff.ts',
    find: 'return Math.max(firstMs * this.#random(), this.#previous - spentMs)',
    replace: 'return 1',
    breaks: ['A10'],
  },
  'no gate': {
    file: 'gate.ts',
    find: 'for (let other = this.#underWay.get(key); other !== undefined;',
    replace: 'for (let other = this.#underWay.get(key); false;',
    breaks: ['A10'],
  },
  'an attempt outlives the order to stop': {
    file: 'supervisor.ts',
    find: 'if (epoch === this.#epoch) return outcome\n',
    replace: 'return outcome\n',
    breaks: ['A3', 'A11', 'A14', 'A15'],
  },
  'the lanes outlive the order to stop': {
    file: 'single-link.ts',
    find: 'if (this.#resting) this.#rest(reason)',
    replace: 'if (false) return',
    breaks: ['A14', 'A15'],
  },
  'heartbeats over quota': {
    file: 'single-link.ts',
    find: "else if (state === 'over-quota') this.#quietLanes(reason)",
    replace: '',
    breaks: ['A14'],
  },
  'interruptions are not told': {
    file: 'subscriber.ts',
    find: 'if (gap !== undefined && entry.live)',
    replace: 'if (gap === null)',
    breaks: ['A12'],
  },
  'a gap begins when the last answer came': {
    file: 'lane.ts',
    find: 'wire.provenAt',
    replace: 'wire.lastReplyAt',
    breaks: ['A12'],
  },
  'messages before their gap': {
    file: 'subscriber.ts',
    find: 'if (this.#early !== undefined) {',
    replace: 'if (false) {',
    breaks: ['A12'],
  },
  'a timer outlives its connection': {
    file: 'pending.ts',
    find: 'this.#closed = true\n    this.#disarm()',
    replace: 'this.#closed = true',
    breaks: ['A15'],
  },
  'activities begin after the listeners were told': {
    file: 'supervisor.ts',
    find: 'this.#stop = start?.() ?? (() => undefined)\n    }\n',
    replace:
      'this.#stop = () => undefined; queueMicrotask(() => (this.#stop = start?.() ?? (() => undefined)))\n    }\n',
    breaks: ['A14', 'A15', 'A3'],
  },
  'tracking goes on hearing when its lane has ended': {
    file: 'tracking.ts',
    find: "if (this.#refused === undefined) this.#tellAll('deaf', reason)",
    replace: '',
    breaks: ['A16'],
  },
  'tracking goes on hearing when the command connection is another': {
    file: 'tracking.ts',
    find: 'this.#pair !== undefined && this.#pair.commands.wire !== wire',
    replace: 'false',
    breaks: ['A16'],
  },
  'a tracking lane without a heartbeat': {
    file: 'tracking.ts',
    find: '    this.#startPulse(lane.wire)\n',
    replace: '',
    breaks: ['A16'],
  },
} as const satisfies Readonly<Record<string, Mutation>>

export type MutationName = keyof typeof MUTATIONS

/** The source with the mechanism taken out. */
export function mutated(source: string, { file, find, replace }: Mutation): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`'${find}' stands ${parts.length - 1} times in src/link/${file}, not once`)
  return parts.join(replace)
}
