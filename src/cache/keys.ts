/**
 * How a namespace's keys are named in Redis, and back.
 *
 *     evenkeel:cache:products:p1          the value of `p1`, or the lease of whoever loads it
 *     evenkeel:cache:products::state      generation, tag clock and server of the namespace
 *     evenkeel:cache:products::tag:sale   when the tag `sale` was deleted last
 *     evenkeel:cache:products~p1          somebody refreshes `p1` early; outside the prefix, for nobody needs to hear of it
 *
 * No two keys are ever used by one command or script, so a cluster needs no hash tags.
 */

const STATE = ':state'
const TAG = ':tag:'

/** What a key in Redis stands for. */
export type Named =
  | { readonly kind: 'entry'; readonly key: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'state' }

export class KeyNames {
  /** What every name of this namespace begins with; no other namespace's does. */
  readonly prefix: string
  readonly state: string
  readonly #guard: string

  constructor(prefix: string, namespace: string) {
    this.prefix = `${prefix}${namespace}:`
    this.state = this.prefix + STATE
    this.#guard = `${prefix}${namespace}~`
  }

  /** A key that begins with a colon gets one more, so that it cannot pass for one of our own. */
  entry(key: string): string {
    return key.startsWith(':') ? `${this.prefix}:${key}` : this.prefix + key
  }

  tag(tag: string): string {
    return this.prefix + TAG + tag
  }

  guard(key: string): string {
    return this.#guard + key
  }

  /** Undefined for a name that is none of this namespace. */
  read(name: string): Named | undefined {
    if (!name.startsWith(this.prefix)) return undefined
    const rest = name.slice(this.prefix.length)
    if (!rest.startsWith(':')) return { kind: 'entry', key: rest }
    if (rest.startsWith('::')) return { kind: 'entry', key: rest.slice(1) }
    if (rest === STATE) return { kind: 'state' }
    return rest.startsWith(TAG) ? { kind: 'tag', tag: rest.slice(TAG.length) } : undefined
  }
}
