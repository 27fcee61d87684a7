/** What is known about something, or why it is not: a thing that could not be looked at is never taken for good. */

export type Evidence<Value> =
  | { readonly kind: 'known'; readonly value: Value }
  /** It is there, and whoever asks may not see it: an ACL, a file mode. */
  | { readonly kind: 'not-permitted'; readonly detail: string }
  /** It is not there, or does not exist here: no such file, an older server, another machine. */
  | { readonly kind: 'not-available'; readonly detail: string }
  /** It should have been there, and something went wrong: no answer in time, words that nobody understands. */
  | { readonly kind: 'failed'; readonly detail: string }

/** Evidence of which only the reason is left why there is none. */
export type Missing = Exclude<Evidence<never>, { readonly kind: 'known' }>

export function known<Value>(value: Value): Evidence<Value> {
  return { kind: 'known', value }
}

export function notPermitted(detail: string): Missing {
  return { kind: 'not-permitted', detail }
}

export function notAvailable(detail: string): Missing {
  return { kind: 'not-available', detail }
}

export function failed(detail: string): Missing {
  return { kind: 'failed', detail }
}

/** What is known, changed into something else; the reason why nothing is known stays what it is. */
export function mapped<Value, Other>(evidence: Evidence<Value>, change: (value: Value) => Other): Evidence<Other> {
  return evidence.kind === 'known' ? known(change(evidence.value)) : evidence
}

/** The value, or what is said in its place. */
export function valueOr<Value, Other>(evidence: Evidence<Value>, other: Other): Value | Other {
  return evidence.kind === 'known' ? evidence.value : other
}

/** The first of them that may not be seen. */
export function deniedAmong(all: readonly Evidence<unknown>[]): Missing | undefined {
  return all.find((each): each is Missing => each.kind === 'not-permitted')
}
