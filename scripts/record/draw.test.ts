import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draw } from './draw.ts'
import type { Run } from './picture.ts'

const RUN: Run = {
  seconds: 10,
  requests: [
    { x: 1, y: 5 },
    { x: -0.1, y: 5 },
    { x: 11, y: 5 },
  ],
  failed: 0,
  states: [
    { from: 0, to: 4, label: 'up' },
    { from: 4, to: 4.2, label: 'recovering' },
  ],
  faults: [{ from: 2, to: 4, label: 'killed' }],
  waits: [
    { name: 'slow', dots: [{ x: 2, y: 1e9 }] },
    { name: 'quick', dots: [{ x: 2, y: 0 }] },
    { name: 'Evenkeel', dots: [{ x: 2, y: 0.1 }] },
  ],
}

/** Where a series of dots was put. */
function dotsOf(svg: string, name: string): string[] {
  const path = new RegExp(`<path class="dots ${name}" d="([^"]*)"`).exec(svg)?.[1] ?? ''
  return path.split('M').filter((dot) => dot !== '')
}

test('draw() puts one dot per measurement, and none from before or after the run', () => {
  assert.equal(dotsOf(draw(RUN, 'english'), 'd2').length, 1)
  assert.equal(dotsOf(draw(RUN, 'english'), 'd0').length, 1)
})

test('draw() keeps what is beyond the scale at its edge, and never writes a number that is none', () => {
  const svg = draw(RUN, 'english')
  assert.deepEqual(dotsOf(svg, 'd0'), ['224 254h0'])
  assert.deepEqual(dotsOf(svg, 'd1'), ['224 430h0'])
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
})

test('draw() names a state inside of its bar where that is wide enough, else above it', () => {
  const svg = draw(RUN, 'english')
  assert.match(svg, /<text class="in" [^>]*>up</)
  assert.match(svg, /<text class="small" [^>]*>recovering</)
})

test('draw() speaks both languages', () => {
  assert.match(draw(RUN, 'english'), /3 requests, 0 failed/)
  assert.match(draw(RUN, 'chinese'), /3 个请求，失败 0 个/)
})
