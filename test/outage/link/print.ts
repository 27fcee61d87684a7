/**
 * Plays the matrix and prints it: `node --conditions=evenkeel-source test/outage/link/print.ts [word of a cell's name …]`
 */
import type { Cell } from './cell.ts'
import { DRIVERS } from './drivers.ts'
import { brokenPromises } from './judge.ts'
import { ALONE, AT_ONCE, CELLS, TOGETHER } from './matrix.ts'
import { play, type Measurement } from './run.ts'
import { tableOf } from './table.ts'

const words = process.argv.slice(2)
const measurements: Measurement[] = []
await playAll(TOGETHER, AT_ONCE)
await playAll(ALONE, 1)
console.log(tableOf(measurements, CELLS))
for (const one of measurements) for (const broken of brokenPromises(one)) complain(one.cell, one.driver, broken)

async function playAll(cells: readonly Cell[], atOnce: number): Promise<void> {
  const queue = cells.filter(isChosen).flatMap((cell) => DRIVERS.map((driver) => ({ cell, driver })))
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { cell, driver } = next
      await play(cell, driver).then(
        (measurement) => measurements.push(measurement),
        (error: unknown) => complain(cell, driver.name, String(error)),
      )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

function isChosen({ name, unavailable }: Cell): boolean {
  if (words.length > 0 && !words.some((word) => name.includes(word))) return false
  if (unavailable !== undefined) console.log(`${name}: left out. ${unavailable}`)
  return unavailable === undefined
}

function complain({ name }: Cell, driver: string, what: string): void {
  console.log(`✖ ${name}, ${driver}: ${what}`)
  process.exitCode = 1
}
