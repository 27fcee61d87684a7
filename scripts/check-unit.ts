/**
 * `npm run check`, step unit: every unit test, all in one process, which costs a seventh of a process per file.
 * So no test may leave behind what another one would see; `npm test` runs the same files in a process each.
 */
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { dot, type TestEvent } from 'node:test/reporters'
import { pipeline } from 'node:stream/promises'
import { root } from './project.ts'

/** A unit test waits for nothing: one that takes so long hangs. */
const TEST_LIMIT_MS = 60_000
/** When no test has been heard of for so long, one has left something open; a busy machine takes its time to load them all. */
const SILENCE_LIMIT_MS = 240_000

let succeeded: boolean | undefined
const silence = setTimeout(giveUp, SILENCE_LIMIT_MS).unref()
process.on('exit', () => {
  if (succeeded === undefined) console.error('✖ the process ended before the last test: did one call process.exit()?')
  process.exitCode = succeeded === true ? 0 : 1
})

const files = globSync('{src,scripts}/**/*.test.ts', { cwd: root }).toSorted()
const events = run({ files, cwd: root, isolation: 'none', timeout: TEST_LIMIT_MS })
await pipeline(withRemarks(events), dot, process.stdout, { end: false })

/** Passes all events on to the reporter, which shows neither the counts nor what went wrong outside of a test. */
async function* withRemarks(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const remarks: string[] = []
  for await (const event of source) {
    silence.refresh()
    if (event.type === 'test:diagnostic') remarks.push(event.data.message)
    if (event.type === 'test:summary') succeeded = event.data.success && event.data.counts.tests > 0
    yield event
  }
  console.log(`\n${remarks.join('\n')}`)
}

function giveUp(): void {
  console.error(`✖ still open after the last test: ${process.getActiveResourcesInfo().join(', ')}`)
  succeeded = false
  process.exit()
}
