import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Leftovers } from './leftovers.ts'

function server(runId: string | undefined, clientId: number | undefined) {
  return { runId, clientId, version: undefined, role: undefined, address: '10.0.0.1:6379' }
}

test('Leftovers names the connections that were given up, once, when the same server answers again', () => {
  const leftovers = new Leftovers()
  assert.deepEqual(leftovers.adopted(server('run-1', 7)), [])
  leftovers.givenUp()
  leftovers.givenUp()
  assert.deepEqual(leftovers.adopted(server('run-1', 8)), [7])
  assert.deepEqual(leftovers.adopted(server('run-1', 9)), [])
})

test('Leftovers forgets them when another server answers, or one that does not tell who it is', () => {
  for (const other of ['run-2', undefined]) {
    const leftovers = new Leftovers()
    leftovers.adopted(server('run-1', 7))
    leftovers.givenUp()
    assert.deepEqual(leftovers.adopted(server(other, 8)), [])
    leftovers.givenUp()
    assert.deepEqual(leftovers.adopted(server('run-1', 9)), [])
  }
})

test('Leftovers names nothing where the server tells no ids', () => {
  const leftovers = new Leftovers()
  leftovers.adopted(server('run-1', undefined))
  leftovers.givenUp()
  assert.deepEqual(leftovers.adopted(server('run-1', undefined)), [])
})
