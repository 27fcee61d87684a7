/**
 * Writes docs/faults.md, the operator's page about every fault, from the table in src/link/faults.
 *
 *     node scripts/write-fault-page.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { FAULT_GROUPS, type FaultEntry, type FaultGroup, type Reaction } from '../src/link/faults.ts'
import { root } from './project.ts'

const PAGE = `${root}/docs/faults.md`

const TITLES: Readonly<Record<FaultGroup, string>> = {
  network: 'Network',
  tls: 'TLS',
  authentication: 'Login and permission',
  'server-state': 'State of the server',
  persistence: 'Disk, memory, replicas',
  cluster: 'Cluster',
  quota: 'Limits of a hosting provider',
  usage: 'A single call',
  link: 'What the link finds by itself',
}

/** What the link does, and what its state is called meanwhile. */
const REACTIONS: Readonly<Record<Reaction, string>> = {
  none: 'Nothing: the trouble is about this one call.',
  identity: 'Nothing more for this call; it looks whether the server came back without its data.',
  down: 'Connects again by itself, at once and then with growing pauses of about a second at most. No call waits for it.',
  reconnect: 'Drops the connection and asks anew where the master is; then as for down.',
  'write-blocked':
    'Refuses writes at once, lets reads and publishing through, and tries a small write from time to time.',
  'not-ready': 'Keeps the connection, refuses calls at once and asks again several times a second.',
  'over-quota': 'Sends nothing, not even heartbeats, and asks again after a minute, later every 15 minutes.',
  misconfigured: 'Tries again every 5 to 30 seconds, for somebody must change a setting first.',
  resp2: 'Goes on with the older protocol RESP2.',
}

const INTRODUCTION = `# Faults: what went wrong, what it means, what to do

<!-- Written by scripts/write-fault-page.ts from src/link/faults; not to be edited. -->

Every health report, error and log line of Evenkeel carries the code of a fault, such as \`refused\`. This page tells of each
what it means, what to do about it and how it looks. Search it for the code, or for the words of the error.

Words in capitals stand for your own values. Where Redis wants a password add \`--user USER --askpass\` to
\`redis-cli\`, where it wants TLS \`--tls --cacert FILE\`.`

/** The whole page as Markdown. */
export function faultPage(): string {
  const groups = Object.entries(FAULT_GROUPS) as [FaultGroup, readonly FaultEntry[]][]
  const sections = groups.map(([group, faults]) => [`## ${TITLES[group]}`, ...faults.map(entryOf)].join('\n\n'))
  return `${[INTRODUCTION, indexOf(groups), ...sections, reactions()].join('\n\n')}\n`
}

function indexOf(groups: readonly [FaultGroup, readonly FaultEntry[]][]): string {
  const rows = groups.map(([group, faults]) => {
    const links = faults.map(({ code }) => `[${code}](#${code})`).join(' · ')
    return `| ${TITLES[group]} | ${links} |`
  })
  return ['| where | faults |', '|---|---|', ...rows].join('\n')
}

function entryOf(fault: FaultEntry): string {
  return [`### ${fault.code}`, `**${fault.meaning}**`, fault.nextStep, ...looksOf(fault), ...linkOf(fault)].join('\n\n')
}

function looksOf({ example, errors = [] }: FaultEntry): string[] {
  const looks = [...(example === undefined ? [] : [example]), ...errors].map((text) => `\`${text}\``)
  return looks.length === 0 ? [] : [`Looks like: ${looks.join(', ')}`]
}

function linkOf({ reaction, reactionOnceUp, executed }: FaultEntry): string[] {
  if (reaction === 'none' && executed === 'no') return []
  const once = reactionOnceUp === undefined ? '' : ` (${reactionOnceUp} if it was up before)`
  const link = reaction === 'none' ? [] : [`The link: [${reaction}](#what-the-link-does)${once}.`]
  const fate = executed === 'no' ? 'The command did not run.' : 'The command may have run.'
  return [[...link, fate].join(' ')]
}

function reactions(): string {
  const rows = Object.entries(REACTIONS).map(([reaction, text]) => `| ${reaction} | ${text} |`)
  return ['## What the link does', '', '| reaction | what it does by itself |', '|---|---|', ...rows].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const page = faultPage()
  const before = readFileSync(PAGE, { encoding: 'utf8', flag: 'a+' })
  if (page !== before) writeFileSync(PAGE, page)
  console.log(page === before ? 'docs/faults.md is up to date' : 'docs/faults.md is written anew')
}
