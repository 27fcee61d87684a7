import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { APPLICATION_CHECKS } from '../../src/operate/doctor/checks/application/checks.ts'
import { HOST_CHECKS } from '../../src/operate/doctor/checks/host/checks.ts'
import { root } from '../project.ts'

test('docs/operating/doctor-host.md names every check of the machine and of the files beside it, and no other', () => {
  const page = readFileSync(`${root}/docs/operating/doctor-host.md`, 'utf8')
  const told = [...page.matchAll(/`((?:host|application)\.[a-z0-9-]+)`/g)].map(([, id]) => id)
  // Those of queues ask the server.
  const local = [...HOST_CHECKS, ...APPLICATION_CHECKS].filter(({ needs }) => !needs.includes('queues'))
  const there = new Set(local.map(({ id }) => id))
  assert.deepEqual(new Set(told), there)
})
