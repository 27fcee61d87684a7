/** The commands that checks print are pasted into shells: what stands in the sources of all of them is looked at. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { doctorUserCommand } from '../acl.ts'
import { rotatePassword, SET_PASSWORD, withQuotedPlaceholders } from '../shell.ts'

interface Printed {
  readonly file: string
  readonly command: string
}

const LITERAL = /'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`/g

/** Every text in a list of commands; what is put together at run time stands in for itself as `x`. */
function printed(): readonly Printed[] {
  const files = globSync('**/*.ts', { cwd: import.meta.dirname }).filter((file) => !file.endsWith('.test.ts'))
  const found = files.flatMap((file) => {
    const source = readFileSync(join(import.meta.dirname, file), 'utf8')
    const lists = [...source.matchAll(/commands: (?:\w+\([^[]*=> )?\[([\s\S]*?)\],?\n/g)].map(([, list = '']) => list)
    return lists.flatMap((list) => literalsIn(list).map((command) => ({ file, command })))
  })
  const ours = [...SET_PASSWORD, ...rotatePassword('default'), ...doctorUserCommand().split('\n')]
  return [...found, ...ours.map((command) => ({ file: 'shell.ts', command }))]
}

function literalsIn(list: string): string[] {
  return [...list.matchAll(LITERAL)]
    .map(([, single, double, template]) => single ?? double ?? template ?? '')
    .map((text) => text.replaceAll(/\$\{[^}]*\}/g, 'x').replaceAll(/\\(.)/g, '$1'))
    .filter((text) => text.includes(' '))
}

const all = printed()

test('there are commands in many of the checks', () => {
  assert.ok(new Set(all.map(({ file }) => file)).size > 40)
})

test('no command has a password on its line, where the history and the list of processes show it', () => {
  for (const { file, command } of all) {
    assert.doesNotMatch(command, /\b(requirepass|masterauth|auth-pass)\s+(?!''|<\s)\S/, file)
    assert.doesNotMatch(command, /SETUSER[^|]*\s['"][><]/, file)
    assert.doesNotMatch(command, /redis-cli[^|]*\s(-a|--pass)\s|(REDISCLI_AUTH|PASSWORD)=(?!"?\$?\$\(cat )/, file)
  }
})

test('a shell understands every command, and none of its words is a redirection that was not meant', () => {
  const shown = all.map(({ command }) => withQuotedPlaceholders(command))
  const { status, stderr } = spawnSync('sh', ['-n'], { input: shown.join('\n'), encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
  for (const command of shown) {
    const bare = command.replaceAll(/'[^']*'|"[^"]*"/g, 'x')
    assert.doesNotMatch(bare, /<[A-Za-z]|[A-Za-z]>/, command)
  }
})
