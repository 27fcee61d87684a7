/**
 * Makes time go faster for everything in this process that asks JavaScript for it: `Date`, `performance.now()`, timers. What the
 * kernel does takes as long as ever. Load it before anything that keeps a reference to one of them.
 */

const realNow = performance.now.bind(performance)
const RealDate = Date
const { setTimeout: realSetTimeout, setInterval: realSetInterval } = globalThis

let speed = 1
/** The moment at which the speed was set last, in both times. */
let real = realNow()
let made = real
const wallOffset = RealDate.now() - real

function now(): number {
  return made + (realNow() - real) * speed
}

class FastDate extends RealDate {
  static override now(): number {
    return Math.floor(now() + wallOffset)
  }

  constructor(...parts: [] | [value: number | string | Date]) {
    super(...((parts.length === 0 ? [FastDate.now()] : parts) as [number]))
  }
}

performance.now = now
globalThis.Date = FastDate as DateConstructor
globalThis.setTimeout = ((run: () => void, ms = 0, ...args: []) =>
  realSetTimeout(run, ms / speed, ...args)) as typeof setTimeout
globalThis.setInterval = (run: () => void, ms = 0, ...args: []) => realSetInterval(run, ms / speed, ...args)

/** So many times as fast from now on; timers that run already keep their pace. */
export function setSpeed(times: number): void {
  made = now()
  real = realNow()
  speed = times
}
