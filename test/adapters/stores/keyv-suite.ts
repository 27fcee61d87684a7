/** Runs the cases of Keyv's own suite: it takes its runner as an argument, and this is as much of one as it asks for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Scene } from './scene.ts'

type Body = (context: { readonly expect: typeof expect }) => unknown

/** What a group of the suite calls. */
export interface Runner {
  it(name: string, body: Body): void
  beforeEach(body: () => unknown): void
  afterEach(body: () => unknown): void
}

interface Playing {
  readonly title: string
  /** There by the time the cases run. */
  readonly scene: () => Scene
  readonly register: (runner: Runner) => void
  /** Cases that the version under test has decided otherwise. */
  readonly otherwise: readonly string[]
}

/** Registers the cases that a group of the suite names. */
export function playSuite({ title, scene, register, otherwise }: Playing): void {
  const before: (() => unknown)[] = []
  const after: (() => unknown)[] = []
  const cases: [name: string, body: Body][] = []
  register({
    it: (name, body) => cases.push([name, body]),
    beforeEach: (body) => before.push(body),
    afterEach: (body) => after.push(body),
  })
  describe(title, () => {
    for (const [name, body] of cases.filter(([name]) => !otherwise.includes(name)))
      test(name, () =>
        scene().play(async () => {
          for (const step of before) await step()
          await once(body)
          for (const step of after) await step()
        }),
      )
  })
}

/** Some cases stop the clock and set it going again at their end, which an assertion that fails never reaches. */
async function once(body: Body): Promise<void> {
  const { Date: clock } = globalThis
  const counter = { asserted: 0, expected: undefined as number | undefined }
  try {
    await body({ expect: expectWith(counter) })
    if (counter.expected !== undefined) assert.equal(counter.asserted, counter.expected, 'assertions')
  } finally {
    globalThis.Date = clock
  }
}

function expectWith(counter: { asserted: number; expected: number | undefined }): typeof expect {
  const counted = (actual: unknown): ReturnType<typeof expect> => {
    counter.asserted += 1
    return expect(actual)
  }
  return Object.assign(counted, {
    assertions: (count: number) => {
      counter.expected = count
    },
  })
}

function expect(actual: unknown) {
  return {
    toBe: (wanted: unknown) => assert.ok(Object.is(actual, wanted), `${String(actual)} is not ${String(wanted)}`),
    toEqual: (wanted: unknown) => assert.deepEqual(actual, wanted),
    toBeTruthy: () => assert.ok(actual),
    toBeFalsy: () => assert.ok(!actual, `${String(actual)} is truthy`),
    toBeNull: () => assert.equal(actual, null),
    toBeDefined: () => assert.notEqual(actual, undefined),
    toBeUndefined: () => assert.equal(actual, undefined),
  }
}
expect.assertions = (_count: number): void => undefined
