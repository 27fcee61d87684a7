/**
 * Parts of the pages that are written by the code they describe. They stand between two comments:
 *
 *     <!-- generated: import-table -->
 *     …
 *     <!-- /generated -->
 */
import { isLegal, type HealthState } from '../../src/link/health.ts'
import { asMarkdown } from '../boundaries/table.ts'
import { doctorTable } from './doctor-checks.ts'
import { optionTable } from './options.ts'
import {
  CACHE,
  CLI,
  DATABASE,
  EVENTS,
  LIMITS,
  LINK,
  OPERATE,
  ORDERS,
  SESSIONS,
  TASKS,
  TELEMETRY,
  tourTable,
} from './tour.ts'

/** Every state, in the order of the table; the compiler sees to it that none is missing. */
const STATES: Readonly<Record<HealthState, true>> = {
  connecting: true,
  up: true,
  brownout: true,
  'write-blocked': true,
  'not-ready': true,
  'over-quota': true,
  down: true,
  recovering: true,
  misconfigured: true,
  isolated: true,
  closed: true,
}

const WRITERS: Readonly<Record<string, () => string>> = {
  'import-table': asMarkdown,
  'link-transitions': transitionTable,
  'tour-link': () => tourTable(LINK),
  'tour-database': () => tourTable(DATABASE),
  'tour-telemetry': () => tourTable(TELEMETRY),
  'tour-tasks': () => tourTable(TASKS),
  'tour-cache': () => tourTable(CACHE),
  'tour-limits': () => tourTable(LIMITS),
  'tour-sessions': () => tourTable(SESSIONS),
  'tour-events': () => tourTable(EVENTS),
  'tour-operate': () => tourTable(OPERATE),
  'tour-cli': () => tourTable(CLI),
  'tour-orders': () => tourTable(ORDERS),
  'doctor-checks': doctorTable,
  'options-evenkeel': () => optionTable('evenkeel.ts', 'EvenkeelOptions'),
  'options-redis': () => optionTable('link/endpoint.ts', 'RedisOptions'),
  'options-sentinel': () => optionTable('link/endpoint.ts', 'SentinelOptions'),
  'options-cluster': () => optionTable('link/endpoint.ts', 'ClusterOptions'),
  'options-tls': () => optionTable('link/driver.ts', 'TlsOptions'),
  'options-link': () => optionTable('link/link.ts', 'LinkOptions'),
  'options-link-tuning': () => optionTable('link/settings.ts', 'LinkTuning'),
  'options-send': () => optionTable('link/redis-link.ts', 'SendOptions'),
  'options-database': () => optionTable('database/options.ts', 'DatabaseOptions'),
  'options-cache': () => optionTable('cache/options.ts', 'CacheTuning'),
  'options-cache-l1': () => optionTable('cache/options.ts', 'L1Options'),
  'options-cache-l2': () => optionTable('cache/options.ts', 'L2Options'),
  'options-cache-lease': () => optionTable('cache/options.ts', 'LeaseOptions'),
  'options-cache-journal': () => optionTable('cache/options.ts', 'JournalOptions'),
  'options-cache-away': () => optionTable('cache/options.ts', 'AwayOptions'),
  'options-tasks': () => optionTable('tasks/options.ts', 'TasksOptions'),
  'options-task': () => optionTable('tasks/definitions.ts', 'TaskDefinition'),
  'options-start': () => optionTable('tasks/starter.ts', 'StartOptions'),
  'options-limit': () => optionTable('limits/options.ts', 'LimitOptions'),
  'options-events': () => optionTable('events/options.ts', 'EventSettings'),
  'options-sessions': () => optionTable('sessions/options.ts', 'SessionSettings'),
  'options-pool': () => optionTable('database/options.ts', 'PoolOptions'),
}

/** The page with every generated part written anew. */
export function regenerate(page: string): string {
  return page.replaceAll(/<!-- generated: ([\w-]+) -->\n[\s\S]*?<!-- \/generated -->/g, (_, name: string) => {
    const write = WRITERS[name]
    if (write === undefined) throw new Error(`Nothing writes '${name}'; there are ${Object.keys(WRITERS).join(', ')}.`)
    return `<!-- generated: ${name} -->\n\n${write()}\n\n<!-- /generated -->`
  })
}

/** Rows: from; columns: to. */
function transitionTable(): string {
  const states = Object.keys(STATES) as HealthState[]
  const rows = states.map((from) => {
    const cells = states.map((to) => (from === to ? '' : isLegal(from, to) ? '●' : ''))
    return `| **${from}** | ${cells.join(' | ')} |`
  })
  return [`| from \\ to | ${states.join(' | ')} |`, `|---|${':-:|'.repeat(states.length)}`, ...rows].join('\n')
}
