/**
 * What looking at Redis came to, before anything is loaded.
 */
import type { Claim } from './claims.ts'

export type Found<V> = Hit<V> | Unheld

export interface Hit<V> {
  readonly kind: 'value'
  readonly value: V
}

/** Nobody holds a value; `unheard`: Redis left the question without an answer. */
export interface Unheld {
  readonly kind: 'none'
  readonly claim: Claim | undefined
  readonly unheard?: true
}

export const UNCLAIMED: Unheld = { kind: 'none', claim: undefined }
export const UNHEARD: Unheld = { kind: 'none', claim: undefined, unheard: true }
