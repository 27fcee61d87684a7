/**
 * What the link must know of a command before it sends it: does it change data, which keys does it touch, may it share
 * a connection with others. The facts come from a real server (table.ts); what no server tells stands here.
 */
import { KeyRule } from './keys.ts'
import { COMMAND_TABLE } from './table.ts'
import type { Argument } from '../driver.ts'
import { NEWER_COMMANDS } from './newer.ts'

/**
 * Where a command may go:
 * - `commands` the connection that all calls share
 * - `blocking` it waits inside the server and would hold up all others: `link.blocking()`
 * - `subscriber` it turns the connection into one for messages: `link.subscribe()`
 * - `none` it changes the connection for everybody who shares it; the link itself sends what it needs of these
 */
export type CommandLane = 'commands' | 'blocking' | 'subscriber' | 'none'

export interface CommandInfo {
  /**
   * `write`: the server may refuse it where data must not change (READONLY, MISCONF, NOREPLICAS), or it is a script
   * that may write. `read`: all others, so PUBLISH, CONFIG SET and CLIENT KILL too.
   */
  readonly kind: 'read' | 'write'
  /** The server refuses it when memory is used up; DEL and EXPIRE go on. */
  readonly denyOom: boolean
  readonly lane: CommandLane
  readonly keys: KeyRule
}

const LANES: Readonly<Record<Exclude<CommandLane, 'commands'>, string>> = {
  blocking: `
    BLMOVE, BLMOVEM, BLMPOP, BLPOP, BRPOP, BRPOPLPUSH, BZMPOP, BZPOPMAX, BZPOPMIN, WAIT, WAITAOF,
  `,
  subscriber: `
    PSUBSCRIBE, PUNSUBSCRIBE, SSUBSCRIBE, SUBSCRIBE, SUNSUBSCRIBE, UNSUBSCRIBE,
  `,
  none: `
    ASKING, AUTH, CLIENT CACHING, CLIENT CAPA, CLIENT NO-EVICT, CLIENT NO-TOUCH, CLIENT REPLY, CLIENT TRACKING, DISCARD,
    EXEC, HELLO, MONITOR, MULTI, PSYNC, QUIT, READONLY, READWRITE, REPLCONF, RESET, SCRIPT DEBUG, SELECT, SYNC, UNWATCH,
    WATCH,
  `,
}

/** These wait only when told to, by BLOCK before STREAMS; BLOCK may stand from this index on. */
const BLOCK_OPTION: ReadonlyMap<string, number> = new Map([
  ['XREAD', 1],
  ['XREADGROUP', 4],
])

const UNKNOWN: CommandInfo = { kind: 'write', denyOom: true, lane: 'commands', keys: new KeyRule('1') }
const UNKNOWN_SUBCOMMAND: CommandInfo = { ...UNKNOWN, keys: new KeyRule('') }

/** A command whose facts depend on its words. */
type Chooser = (args: readonly Argument[]) => CommandInfo

const COMMANDS: ReadonlyMap<string, CommandInfo | Chooser> = allCommands()

/** What the command is; one map access when its name comes as upper-case text. A command nobody knows counts as a write. */
export function commandOf(args: readonly Argument[]): CommandInfo {
  const [name] = args
  const found = (typeof name === 'string' ? COMMANDS.get(name) : undefined) ?? COMMANDS.get(upperCase(name))
  if (found === undefined) return UNKNOWN
  return typeof found === 'function' ? found(args) : found
}

/** The keys that the command touches, as they stand in it. */
export function keysOf(args: readonly Argument[]): readonly Argument[] {
  return commandOf(args).keys.keysIn(args)
}

function allCommands(): ReadonlyMap<string, CommandInfo | Chooser> {
  const commands = new Map<string, CommandInfo | Chooser>()
  const containers = new Map<string, Map<string, CommandInfo>>()
  const lanes = new Map(
    Object.entries(LANES).flatMap(([lane, names]) => listed(names).map((name) => [name, lane as CommandLane])),
  )
  for (const { keys, names, ...row } of [...NEWER_COMMANDS, ...COMMAND_TABLE]) {
    const rule = new KeyRule(keys)
    for (const name of listed(names)) {
      const info: CommandInfo = { ...row, lane: lanes.get(name) ?? 'commands', keys: rule }
      const [container = '', subcommand] = name.split(' ')
      if (subcommand === undefined) commands.set(name, blockingByOption(name, info))
      else
        containers.set(container, (containers.get(container) ?? new Map<string, CommandInfo>()).set(subcommand, info))
    }
  }
  for (const [container, subcommands] of containers)
    commands.set(container, (args) => subcommands.get(upperCase(args[1])) ?? UNKNOWN_SUBCOMMAND)
  return commands
}

function blockingByOption(name: string, info: CommandInfo): CommandInfo | Chooser {
  const from = BLOCK_OPTION.get(name)
  if (from === undefined) return info
  const blocking: CommandInfo = { ...info, lane: 'blocking' }
  return (args) => (blocks(args, from) ? blocking : info)
}

function blocks(args: readonly Argument[], from: number): boolean {
  for (let index = from; index < args.length; index++) {
    const word = upperCase(args[index])
    if (word === 'STREAMS') return false
    if (word === 'BLOCK') return true
  }
  return false
}

function listed(names: string): readonly string[] {
  return names.split(',').flatMap((name) => name.trim() || [])
}

function upperCase(word: Argument | undefined): string {
  return word === undefined ? '' : word.toString().toUpperCase()
}
