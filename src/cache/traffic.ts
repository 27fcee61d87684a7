/**
 * What is under way: flights that callers may join, flights that they may not join any more, writes on their way to Redis.
 */
import type { CacheError } from '../errors.ts'
import type { Flight } from './flight.ts'
import type { Traffic } from './parts.ts'

export class Flights<V> implements Traffic {
  /** With a load, by key: whoever asks joins. */
  readonly #loads = new Map<string, Flight<V>>()
  /** Without one. */
  readonly #looks = new Map<string, Flight<V>>()
  /** Detached, or behind the scenes; still to be fenced. */
  readonly #others = new Map<string, Set<Flight<V>>>()
  readonly #writes = new Map<string, number>()

  /** The flight that a caller joins. */
  find(key: string, loads: boolean): Flight<V> | undefined {
    return (loads ? this.#loads : this.#looks).get(key)
  }

  add(flight: Flight<V>): void {
    ;(flight.loads ? this.#loads : this.#looks).set(flight.key, flight)
  }

  /** A flight that nobody joins. */
  addApart(flight: Flight<V>): void {
    const others = this.#others.get(flight.key)
    if (others === undefined) this.#others.set(flight.key, new Set([flight]))
    else others.add(flight)
  }

  /** Is one behind the scenes? */
  apart(key: string): boolean {
    return this.#others.size > 0 && this.#others.has(key)
  }

  detach(flight: Flight<V>): void {
    const map = flight.loads ? this.#loads : this.#looks
    if (map.get(flight.key) !== flight) return
    map.delete(flight.key)
    this.addApart(flight)
  }

  landed(flight: Flight<V>): void {
    const { key } = flight
    const map = flight.loads ? this.#loads : this.#looks
    if (map.get(key) === flight) map.delete(key)
    if (this.#others.size === 0) return
    const others = this.#others.get(key)
    if (others?.delete(flight) === true && others.size === 0) this.#others.delete(key)
  }

  /** This process changes the key. */
  fence(key: string): void {
    for (const flight of this.#all(key)) {
      flight.fence()
      this.detach(flight)
    }
  }

  /** Somebody, perhaps ourselves, changed the key. */
  stir(key: string): void {
    for (const flight of this.#all(key)) if (!flight.stir()) this.detach(flight)
  }

  /** A tag was deleted, and any load may turn out to have it: whoever asks from now on does not join one that runs. */
  detachLoads(): void {
    for (const flight of [...this.#loads.values()]) {
      flight.forgetCopies()
      this.detach(flight)
    }
  }

  /** Nobody tells a load without a lease that its key was changed, so whoever asks from now on does not join it. */
  detachUnclaimed(key?: string): void {
    const loads = key === undefined ? [...this.#loads.values()] : [this.#loads.get(key)]
    for (const flight of loads) if (flight?.unclaimed === true) this.detach(flight)
  }

  stirAll(): void {
    for (const key of this.keys()) this.stir(key)
  }

  cancelAll(error: CacheError): void {
    for (const key of this.keys()) for (const flight of this.#all(key)) flight.cancel(error)
  }

  keys(): readonly string[] {
    return [...new Set([...this.#loads.keys(), ...this.#looks.keys(), ...this.#others.keys()])]
  }

  writing(key: string): boolean {
    return this.#writes.size > 0 && this.#writes.has(key)
  }

  beginWrite(key: string): void {
    this.#writes.set(key, (this.#writes.get(key) ?? 0) + 1)
  }

  endWrite(key: string): void {
    const left = (this.#writes.get(key) ?? 1) - 1
    if (left === 0) this.#writes.delete(key)
    else this.#writes.set(key, left)
  }

  #all(key: string): readonly Flight<V>[] {
    if (this.#loads.size + this.#looks.size + this.#others.size === 0) return []
    return [this.#loads.get(key), this.#looks.get(key), ...(this.#others.get(key) ?? [])].filter(
      (flight) => flight !== undefined,
    )
  }
}
