/** The table of outages in words: several rounds of each scene made one row, in English and in Chinese. */
import type { Outcome } from './outages.ts'

const HEADERS = {
  english: [
    'what happens',
    'orders and look-ups answered',
    'slowest',
    'a direct Redis call waits at most',
    'then it takes',
    '`/health` says',
    'noticed after',
    'used again',
  ],
  chinese: [
    '发生了什么',
    '请求成功数',
    '最慢一次',
    '直接调用 Redis 最多等待',
    '此后每次',
    '`/health` 显示',
    '多久发现',
    '恢复使用',
  ],
} as const

const DATABASE_HEADERS = {
  english: ['what happens', 'requests answered 503', 'slowest', '`/health` says', 'noticed after', 'used again'],
  chinese: ['发生了什么', '以 503 回答的请求', '最慢一次', '`/health` 显示', '多久发现', '恢复使用'],
} as const

export type Language = keyof typeof HEADERS

/** Redis' scenes. */
export function redisTable(rounds: readonly (readonly Outcome[])[], language: Language): string {
  return table(HEADERS[language], rounds, (all) => [
    nameOf(all, language),
    `${sum(all, 'served')} / ${sum(all, 'requests')}`,
    milliseconds(worst(all, 'slowestMs')),
    milliseconds(worst(all, 'longestCallMs')),
    milliseconds(worst(all, 'refusalMs')),
    saying(all),
    noticed(all, language),
    milliseconds(worst(all, 'backMs')),
  ])
}

/** PostgreSQL's scenes. */
export function databaseTable(rounds: readonly (readonly Outcome[])[], language: Language): string {
  return table(DATABASE_HEADERS[language], rounds, (all) => [
    nameOf(all, language),
    `${sum(all, 'requests') - sum(all, 'served')} / ${sum(all, 'requests')}`,
    milliseconds(worst(all, 'slowestMs')),
    saying(all),
    noticed(all, language),
    milliseconds(worst(all, 'backMs')),
  ])
}

/** What must hold in every round, as it was counted. */
export function promisesText(rounds: readonly (readonly Outcome[])[], language: Language): string {
  const all = rounds.flat()
  const [twice, lies] = [sum(all, 'twice'), sum(all, 'lies')]
  return language === 'english'
    ? `The worst of ${rounds[0]?.length ?? 0} rounds each. Calls that ran twice: ${twice}; calls that failed as not executed and had run: ${lies}.`
    : `每行取 ${rounds[0]?.length ?? 0} 轮中的最差值。被执行两次的调用：${twice}；报告“未执行”却已执行的调用：${lies}。`
}

type Figure = 'served' | 'requests' | 'slowestMs' | 'longestCallMs' | 'refusalMs' | 'backMs' | 'twice' | 'lies'

function sum(outcomes: readonly Outcome[], figure: Figure): number {
  return outcomes.reduce((total, outcome) => total + outcome[figure], 0)
}

function worst(outcomes: readonly Outcome[], figure: Figure): number {
  return Math.max(...outcomes.map((outcome) => outcome[figure]))
}

function nameOf([first]: readonly Outcome[], language: Language): string {
  return (language === 'english' ? first?.scene.name : first?.scene.chinese) ?? ''
}

/** Rounds may end in different words: one connects into silence, the next is refused. */
function saying(all: readonly Outcome[]): string {
  const said = all.map(({ status, state, code }) => `${status} · ${state} · \`${code}\``)
  return [...new Set(said)].join('<br>')
}

function noticed(all: readonly Outcome[], language: Language): string {
  const times = all.map(({ noticedMs }) => noticedMs).filter((time) => time !== undefined)
  if (times.length > 0) return milliseconds(Math.max(...times))
  return language === 'english' ? 'at once' : '立即'
}

/** `< 0.1 ms`, `0.3 ms`, `14 ms`, `1.6 s`. */
export function milliseconds(value: number): string {
  if (value < 0.1) return '< 0.1 ms'
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`
  return value < 1 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`
}

function table(
  header: readonly string[],
  rounds: readonly (readonly Outcome[])[],
  row: (outcomes: readonly Outcome[]) => string[],
): string {
  const lines = rounds.map((outcomes) => `| ${row(outcomes).join(' | ')} |`)
  return [`| ${header.join(' | ')} |`, `|${'---|'.repeat(header.length)}`, ...lines].join('\n')
}
