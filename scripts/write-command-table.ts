/**
 * Writes src/link/commands/table.ts from what a real redis-server says about its commands.
 *
 *     node scripts/write-command-table.ts
 *
 * Commands of newer servers than the one at hand stand in src/link/commands/newer.ts, which nobody generates.
 */
import { writeFileSync } from 'node:fs'
import { root } from './project.ts'
import type { RawReply } from '../test/support/raw-client.ts'
import { RedisServer } from '../test/support/redis-server.ts'

/** What the server cannot put into its own specification: keywords that may stand anywhere, a key that may be empty. */
const KEYS_BY_HAND: ReadonlyMap<string, string> = new Map([
  ['SORT', '1 STORE@2'],
  ['SORT_RO', '1'],
  ['MIGRATE', '3|KEYS@6..-1'],
])
const WIDTH = 116

interface Row {
  readonly kind: string
  readonly denyOom: boolean
  readonly keys: string
}

function rowsOf(commands: RawReply): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>()
  const read = (command: RawReply): void => {
    const [name, , flags, , , , , , specs, subcommands] = list(command)
    const full = String(name).replace('|', ' ').toUpperCase()
    const words = list(flags).map(String)
    rows.set(full, {
      kind:
        words.includes('write') || (words.includes('movablekeys') && !words.includes('readonly')) ? 'write' : 'read',
      denyOom: words.includes('denyoom'),
      keys: KEYS_BY_HAND.get(full) ?? list(specs).map(ruleOf).join(' '),
    })
    for (const subcommand of list(subcommands)) read(subcommand)
  }
  for (const command of list(commands)) read(command)
  return rows
}

/** One key specification as a rule of src/link/commands/keys.ts. */
function ruleOf(spec: RawReply): string {
  const begin = fields(fields(spec).get('begin_search'))
  const find = fields(fields(spec).get('find_keys'))
  const at = fields(begin.get('spec'))
  const keys = fields(find.get('spec'))
  const index = String(at.get('index'))
  const place = begin.get('type') === 'keyword' ? `${String(at.get('keyword'))}@${String(at.get('startfrom'))}` : index
  if (find.get('type') === 'keynum') return `#${place}`
  const last = Number(keys.get('lastkey'))
  if (Number(keys.get('limit')) === 2) return `${place}/half`
  if (last === 0) return place
  const step = Number(keys.get('keystep'))
  return `${place}..${last < 0 ? last : Number(place) + last}${step === 1 ? '' : `/${step}`}`
}

function fields(reply: RawReply | undefined): ReadonlyMap<string, RawReply> {
  const flat = list(reply ?? null)
  return new Map(
    flat.flatMap((name, index) => (index % 2 === 0 ? [[String(name), flat[index + 1] ?? null] as const] : [])),
  )
}

function list(reply: RawReply | undefined): readonly RawReply[] {
  if (!Array.isArray(reply)) throw new Error(`Expected a list in the reply to COMMAND, got ${JSON.stringify(reply)}`)
  return reply
}

/** Commands alike in everything share one entry. */
function sourceOf(rows: ReadonlyMap<string, Row>, version: string): string {
  const groups = Map.groupBy([...rows.keys()].toSorted(), (name) => JSON.stringify(rows.get(name)))
  const entries = [...groups]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([row, names]) => {
      const { kind, denyOom, keys } = JSON.parse(row) as Row
      return `  {\n    kind: '${kind}',\n    denyOom: ${denyOom},\n    keys: '${keys}',\n    names: \`\n${wrapped(names)}\n    \`,\n  },\n`
    })
  return `${HEADER.replace('VERSION', version)}export const COMMAND_TABLE: readonly CommandRow[] = [\n${entries.join('')}]\n`
}

/** Names of several words are parted by commas, so all are. */
function wrapped(names: readonly string[]): string {
  const lines = ['']
  for (const name of names) {
    if (`${lines.at(-1)} ${name},`.length > WIDTH - 6) lines.push('')
    lines.push(`${lines.pop()} ${name},`.trimStart())
  }
  return lines.map((line) => `      ${line}`).join('\n')
}

const HEADER = `/**
 * Written by scripts/write-command-table.ts from what Redis VERSION says about its own commands; not to be edited.
 * What each field means is told in keys.ts.
 */
import type { CommandRow } from './keys.ts'

`

await using server = await RedisServer.start()
const version = /redis_version:(\S+)/.exec(String(await server.command('INFO', 'server')))?.[1] ?? 'unknown'
const rows = rowsOf(await server.command('COMMAND'))
writeFileSync(`${root}/src/link/commands/table.ts`, sourceOf(rows, version))
console.log(`${rows.size} commands of Redis ${version}`)
