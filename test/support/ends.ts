/** What tests open is closed when they are over, whether they went well or not. */
import { afterEach } from 'node:test'

/**
 * A list for what closes the things that a test opens. After each test of the file all of it is called, the newest first, and the list
 * is empty again.
 */
export function endsOfEachTest(): (() => unknown)[] {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
  })
  return ends
}
