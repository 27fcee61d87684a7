/** Draws a run as SVG: small, sharp, and on a card of its own that follows light and dark. */
import type { Dot, Run, Span } from './picture.ts'
import type { Language } from './table.ts'

const WORDS = {
  english: {
    title: 'Redis is killed, comes back, freezes, thaws',
    health: '/health of the order service: state of Redis',
    requests: (run: Run) => `orders placed and looked up: ${run.requests.length} requests, ${run.failed} failed`,
    waits: 'one Redis command every 100 ms: how long its caller waits for an answer or an error',
    killed: 'killed',
    frozen: 'frozen',
    axis: 'seconds',
    defaults: 'default settings',
  },
  chinese: {
    title: 'Redis 被杀死、重启、被冻结、解冻',
    health: '订单服务的 /health：Redis 的状态',
    requests: (run: Run) => `下单与查单：${run.requests.length} 个请求，失败 ${run.failed} 个`,
    waits: '每 100 ms 一条 Redis 命令：调用方等到回答或错误要多久',
    killed: '被杀死',
    frozen: '被冻结',
    axis: '秒',
    defaults: '默认设置',
  },
} as const

const WIDTH = 880
const LEFT = 64
const RIGHT = 16
const BAND = { top: 66, height: 18 }
const REQUESTS: Panel = { top: 116, height: 104, lowest: 0.5, highest: 10_000, ticks: [1, 10, 100, 1000, 10_000] }
const WAITS: Panel = { top: 254, height: 176, lowest: 0.03, highest: 20_000, ticks: [0.1, 1, 10, 100, 1000, 10_000] }
const HEIGHT = 486

interface Panel {
  readonly top: number
  readonly height: number
  /** Milliseconds at the lower and the upper edge; the scale is logarithmic. */
  readonly lowest: number
  readonly highest: number
  readonly ticks: readonly number[]
}

/** Classes and no variables, which not every renderer knows; the second set is for dark backgrounds. */
const STYLE = `
text{font:12px system-ui,"Segoe UI","Noto Sans","Noto Sans CJK SC",sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.small{font-size:11px;fill:#59636e}.in{font-size:11px;fill:#fff}
.card{fill:#fff;stroke:#d0d7de}.fault{fill:#d1242f;fill-opacity:.1}.grid{stroke:#e4e8ec}
.dots{fill:none;stroke-linecap:round;stroke-width:3}.d0{stroke:#8250df}.d1{stroke:#bc6c00}.d2{stroke:#0a7d5a}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.small{fill:#9198a1}.card{fill:#0d1117;stroke:#3d444d}.fault{fill:#f85149;fill-opacity:.2}.grid{stroke:#262c36}
.d0{stroke:#b083f0}.d1{stroke:#e09b3d}.d2{stroke:#3fbf8f}}`

const STATE_COLOURS: Readonly<Record<string, string>> = { up: '#1a7f37', down: '#cf222e' }
const OTHER_STATE = '#9a6700'

export function draw(run: Run, language: Language): string {
  const words = WORDS[language]
  const parts = [
    `<rect x=".5" y=".5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8" class="card"/>`,
    text([16, 28], words.title, 'title'),
    ...run.faults.map((fault) => faultOf(fault, run)),
    ...run.faults.map((fault) =>
      text([xOf(fault.from, run) + 4, 60], words[fault.label === 'killed' ? 'killed' : 'frozen'], 'small'),
    ),
    text([16, BAND.top - 22], words.health, 'small'),
    ...run.states.flatMap((state) => stateOf(state, run)),
    text([16, REQUESTS.top - 10], words.requests(run), 'small'),
    ...gridOf(REQUESTS),
    dots(run.requests, { run, panel: REQUESTS, name: 'd2' }),
    text([16, WAITS.top - 10], words.waits, 'small'),
    ...gridOf(WAITS),
    ...run.waits.map(({ dots: each }, index) => dots(each, { run, panel: WAITS, name: `d${index}` })),
    ...axisOf(run, words.axis),
    ...run.waits.map(({ name }, index) => legend(index, index === 2 ? name : `${name}, ${words.defaults}`)),
  ]
  const box = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img"><title>${words.title}</title><style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`
}

function xOf(seconds: number, run: Run): number {
  return round(LEFT + ((WIDTH - LEFT - RIGHT) * seconds) / run.seconds)
}

function yOf(milliseconds: number, { top, height, lowest, highest }: Panel): number {
  const bounded = Math.min(highest, Math.max(lowest, milliseconds))
  return round(top + height * (1 - Math.log(bounded / lowest) / Math.log(highest / lowest)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Each dot is a line of no length: eleven bytes instead of forty. */
function dots(
  all: readonly Dot[],
  { run, panel, name }: { readonly run: Run; readonly panel: Panel; readonly name: string },
): string {
  const path = all.filter(({ x }) => x >= 0 && x <= run.seconds).map(({ x, y }) => `M${xOf(x, run)} ${yOf(y, panel)}h0`)
  return `<path class="dots ${name}" d="${path.join('')}"/>`
}

function faultOf({ from, to }: Span, run: Run): string {
  const x = xOf(from, run)
  const bottom = WAITS.top + WAITS.height
  return `<rect x="${x}" y="${BAND.top}" width="${round(xOf(to, run) - x)}" height="${bottom - BAND.top}" class="fault"/>`
}

function stateOf({ from, to, label }: Span, run: Run): string[] {
  const x = xOf(from, run)
  const width = round(xOf(to, run) - x)
  const colour = STATE_COLOURS[label] ?? OTHER_STATE
  const bar = `<rect x="${x}" y="${BAND.top}" width="${width}" height="${BAND.height}" fill="${colour}"/>`
  const fits = width > 7 * label.length
  return [bar, fits ? text([x + 5, BAND.top + 13], label, 'in') : text([x, BAND.top - 6], label, 'small')]
}

function gridOf(panel: Panel): string[] {
  return panel.ticks.flatMap((tick) => {
    const y = yOf(tick, panel)
    const label = tick >= 1000 ? `${tick / 1000} s` : `${tick} ms`
    return [
      `<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>`,
      `<text class="small" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${label}</text>`,
    ]
  })
}

function axisOf(run: Run, unit: string): string[] {
  const y = WAITS.top + WAITS.height + 16
  const seconds = Array.from({ length: Math.floor(run.seconds / 5) + 1 }, (_, n) => n * 5)
  return seconds.map((second) => text([xOf(second, run), y], second === 0 ? `0 ${unit}` : String(second), 'small'))
}

function legend(index: number, label: string): string {
  const x = LEFT + index * 250
  const y = HEIGHT - 18
  return `<path class="dots d${index}" style="stroke-width:8" d="M${x} ${y - 4}h0"/>${text([x + 10, y], label, 'small')}`
}

function text([x, y]: readonly [x: number, y: number], content: string, name: string): string {
  return `<text class="${name}" x="${x}" y="${y}">${content}</text>`
}
