/** One process of the application: it places orders at a steady rate, or works on them, until it is told to stop. */
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseError } from '../../../src/index.ts'
import { Chance } from '../../simulation/random.ts'
import { openShop, type Place, type Shop } from './shop.ts'

/** What a process is started with, as JSON in its first argument. */
export interface Part {
  readonly place: Place
  readonly work?: { readonly concurrency: number }
  readonly orders?: Orders
}

export interface Orders {
  readonly perSecond: number
  /** The share of orders whose first attempt takes a while. */
  readonly slow: number
  readonly seed: number
}

/** What became of an order as its customer saw it. */
export interface OrderFate {
  readonly id: string
  /** Wall clock, when it was placed. */
  readonly at: number
  /** Until the answer. */
  readonly ms: number
  /** Undefined: accepted. */
  readonly trouble?: { readonly text: string; readonly byDatabase: boolean }
}

/** What a process says. */
export type Said =
  | { readonly kind: 'ready' }
  | { readonly kind: 'orders'; readonly orders: readonly OrderFate[] }
  | { readonly kind: 'began' | 'ended' | 'aborted'; readonly orderId: string; readonly attempt: number }
  | { readonly kind: 'stats'; readonly stats: Shop['tasks']['stats'] }
  | { readonly kind: 'stopped' }

/** What it is told. */
export type Told = { readonly kind: 'stop' | 'stats' } | { readonly kind: 'place'; readonly orders: readonly string[] }

const TELL_EVERY_MS = 100
const TICK_MS = 5

const part: Part = JSON.parse(process.argv[2] ?? '')
const say = (said: Said): void => void process.send?.(said)
let fates: OrderFate[] = []
const stopping = new AbortController()
/** Orders without an answer. */
const waiting = new Set<Promise<void>>()

const shop = await openShop(part.place, {
  worker: part.work !== undefined,
  ...part.work,
  events: {
    began: (orderId, attempt) => say({ kind: 'began', orderId, attempt }),
    ended: (orderId, attempt) => say({ kind: 'ended', orderId, attempt }),
    aborted: (orderId, attempt) => say({ kind: 'aborted', orderId, attempt }),
  },
})
await shop.keel.database.ready({ deadlineMs: 20_000 })
process.on('message', (told: Told) => void obey(told))
process.once('disconnect', () => process.exit())
process.once('SIGTERM', () => void stop())
say({ kind: 'ready' })
if (part.orders !== undefined) await keepOrdering(part.orders)

async function obey(told: Told): Promise<void> {
  if (told.kind === 'stats') say({ kind: 'stats', stats: shop.tasks.stats })
  if (told.kind === 'stop') await stop()
}

async function stop(): Promise<void> {
  stopping.abort()
  // The orders that still wait for an answer belong to the account.
  await Promise.all(waiting)
  tell()
  await shop.close()
  say({ kind: 'stopped' })
  process.disconnect?.()
}

/** However late a tick comes, as many orders are placed as the clock asks for. */
async function keepOrdering({ perSecond, slow, seed }: Orders): Promise<void> {
  const chance = new Chance(seed)
  const begun = performance.now()
  const telling = setInterval(tell, TELL_EVERY_MS)
  for (let placed = 0; !stopping.signal.aborted; await delay(TICK_MS))
    for (const due = ((performance.now() - begun) * perSecond) / 1000; placed < due; placed += 1)
      keepTrack(placeOne(`order-${seed}-${placed}`, chance.likely(slow)))
  clearInterval(telling)
}

function keepTrack(order: Promise<void>): void {
  waiting.add(order)
  void order.finally(() => waiting.delete(order))
}

async function placeOne(id: string, isSlow: boolean): Promise<void> {
  const [at, begun] = [Date.now(), performance.now()]
  try {
    await shop.place(id, isSlow ? 'slow' : 'quick')
    fates.push({ id, at, ms: performance.now() - begun })
  } catch (error) {
    const trouble = { text: String(error), byDatabase: error instanceof DatabaseError }
    fates.push({ id, at, ms: performance.now() - begun, trouble })
  }
}

function tell(): void {
  if (fates.length > 0) say({ kind: 'orders', orders: fates })
  fates = []
}
