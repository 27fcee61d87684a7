import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { removeScratch, scratchDirectory } from './leash.ts'
import { requireProgram } from './provision.ts'

const path = process.env['PATH']
let folder: string

/** A machine whose PATH holds nothing but what the test puts there. */
beforeEach(() => {
  folder = scratchDirectory('provision')
  process.env['PATH'] = folder
})
afterEach(() => {
  process.env['PATH'] = path
  removeScratch(folder)
})

function addProgram(name: string, ...script: string[]): void {
  writeFileSync(join(folder, name), ['#!/bin/sh', ...script, ''].join('\n'), { mode: 0o755 })
}

/** `sudo` runs what it is told, as it does where no password is asked for. */
function addAptGet(...script: string[]): void {
  addProgram('sudo', '[ "$1" = -n ] && shift', 'exec "$@"')
  addProgram('apt-get', `echo "$@" >> ${folder}/calls`, ...script)
}

test('requireProgram() finds a program on the PATH, under its other names too', async () => {
  addProgram('google-chrome')
  assert.equal(await requireProgram('chromium'), join(folder, 'google-chrome'))
})

test("requireProgram() finds PostgreSQL's programs outside of the PATH", async () => {
  process.env['PATH'] = path
  const found = await requireProgram('initdb')
  assert.ok(isAbsolute(found) && existsSync(found), found)
})

test('requireProgram() installs the Debian package of a program that is not there', async () => {
  const chromium = join(folder, 'chromium')
  addAptGet(`case "$*" in *install*) printf '#!/bin/sh' > ${chromium} && /bin/chmod +x ${chromium};; esac`)
  assert.equal(await requireProgram('chromium'), chromium)
})

test('requireProgram() names the package and the command when it may not install', async () => {
  addAptGet('echo "E: Could not open lock file" >&2', 'exit 100')
  await assert.rejects(requireProgram('chromium'), (error: Error) => {
    assert.match(error.message, /need the program 'chromium' \(Debian package chromium\)/)
    assert.match(error.message, /sudo apt-get install chromium/)
    assert.match(error.message, /Could not open lock file/)
    return true
  })
})
