/**
 * Takes the TypeScript out of a page, so that the compiler can read what users will copy.
 *
 * Each fenced `ts` block is a module of its own, unless it says `ts continue`: then it goes on where the one before
 * ended. What an example takes for granted stands before it in a comment that the reader does not see, and
 * the next block goes on from there:
 *
 *     <!-- ts
 *     declare const shop: { product(id: string): Promise<Product> }
 *     -->
 */

/** One module out of a page. Its lines have the numbers they have in the page. */
export interface Example {
  /** The line on which its first block begins. */
  readonly line: number
  readonly text: string
}

const BLOCK = /^(?:```ts(?<info>[^\n]*)\n(?<code>[\s\S]*?)^```|<!-- ts\n(?<hidden>[\s\S]*?)^-->)\s*$/gm

export function examplesIn(page: string): Example[] {
  const modules: Map<number, string>[] = []
  let joinNext = false
  for (const match of page.matchAll(BLOCK)) {
    const { info = '', code, hidden = '' } = match.groups ?? {}
    const join = joinNext || info.trim() === 'continue'
    const last = modules.at(-1)
    const module = join && last !== undefined ? last : new Map<number, string>()
    if (module !== last) modules.push(module)
    module.set(page.slice(0, match.index).split('\n').length, code ?? hidden)
    joinNext = code === undefined
  }
  return modules.map((module) => ({ line: Math.min(...module.keys()), text: atTheirLines(module) }))
}

/** Puts each block on the lines it has in the page; `export {}` makes a module of it, without a line of its own. */
function atTheirLines(blocks: ReadonlyMap<number, string>): string {
  const lines: string[] = []
  for (const [fence, code] of blocks) {
    while (lines.length < fence) lines.push('')
    lines.push(...code.replace(/\n$/, '').split('\n'))
  }
  lines[0] = 'export {}'
  return `${lines.join('\n')}\n`
}
