import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClusterCondition, healthOfCluster, type NodeCondition } from './health.ts'
import { capabilitiesIn, type HealthState } from '../health.ts'

const reason = (code: string) => ({ code, text: `it is ${code}.`, nextStep: `mend ${code}` })
const node = (name: string, state: HealthState, slots = 8192): NodeCondition => ({
  name,
  slots,
  health: { state, since: 0, reason: reason(state), can: capabilitiesIn(state) },
})
const cluster = (masters: readonly NodeCondition[], more: Partial<ClusterCondition> = {}) =>
  healthOfCluster({ masters, scouts: [], uncovered: 0, mapFailure: undefined, ...more })

test('healthOfCluster() is up when every slot has a node that is up', () => {
  const { state, can } = cluster([node('a', 'up'), node('b', 'up')])
  assert.deepEqual([state, can], ['up', { read: true, write: true, publish: true }])
})

test('healthOfCluster() is as bad as the worst node, names it, and still tells what works', () => {
  const health = cluster([node('a', 'up'), node('b', 'write-blocked', 5), node('c', 'down', 100)])
  assert.equal(health.state, 'down')
  assert.deepEqual(health.reason, {
    code: 'down',
    text: 'Node c, 100 of 16384 slots, and 1 more node: it is down.',
    nextStep: 'mend down',
  })
  assert.deepEqual(health.can, { read: true, write: true, publish: true })
})

test('healthOfCluster() takes what no node can do for not possible', () => {
  assert.deepEqual(cluster([node('a', 'write-blocked'), node('b', 'down')]).can, {
    read: true,
    write: false,
    publish: true,
  })
  assert.deepEqual(cluster([node('a', 'brownout'), node('b', 'down')]).can, {
    read: false,
    write: false,
    publish: false,
  })
})

test('healthOfCluster() of equally ill nodes names the one with most slots', () => {
  assert.match(
    cluster([node('a', 'down', 5), node('b', 'down', 6)]).reason.text,
    /^Node b, 6 of 16384 slots, and 1 more/,
  )
})

test('healthOfCluster() is not ready while slots have no node', () => {
  const health = cluster([node('a', 'up'), node('b', 'brownout')], { uncovered: 7 })
  assert.deepEqual([health.state, health.reason.code, health.can.read], ['not-ready', 'cluster-down', true])
  assert.match(health.reason.text, /7 of 16384 slots are served by no node/)
  assert.equal(cluster([node('a', 'down')], { uncovered: 7 }).state, 'down')
})

test('healthOfCluster() without a map is as good as its best scout', () => {
  const states = (...states: HealthState[]) => cluster([], { scouts: states.map((state) => node(state, state, 0)) })
  assert.equal(states().state, 'connecting')
  assert.equal(states('down', 'connecting').state, 'connecting')
  assert.equal(states('down', 'up').state, 'connecting')
  assert.equal(states('misconfigured', 'down').state, 'down')
  assert.equal(
    states('misconfigured', 'misconfigured').reason.text,
    'Node misconfigured, and 1 more node: it is misconfigured.',
  )
  assert.deepEqual(states('up').can, { read: false, write: false, publish: false })
})

test('healthOfCluster() says why no map could be had', () => {
  const health = cluster([], { scouts: [node('a', 'up', 0)], mapFailure: reason('not-a-cluster') })
  assert.deepEqual([health.state, health.reason], ['misconfigured', reason('not-a-cluster')])
})
