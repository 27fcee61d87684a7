/** Finds links between the project's own pages that lead nowhere: a missing file, or a missing heading in a page. */
import { posix } from 'node:path'

export interface BrokenLink {
  readonly page: string
  readonly line: number
  readonly target: string
}

/**
 * @param pages path from the root of the project → Markdown
 * @param exists whether a path from the root is a file or folder
 */
export function brokenLinks(pages: ReadonlyMap<string, string>, exists: (path: string) => boolean): BrokenLink[] {
  return [...pages].flatMap(([page, text]) =>
    linksIn(text)
      .filter(({ target }) => !leadsSomewhere(page, target, { pages, exists }))
      .map(({ line, target }) => ({ page, line, target })),
  )
}

/** Inline links and images, reference definitions, and `href`/`src` of embedded HTML; code is no link. */
function linksIn(text: string): { line: number; target: string }[] {
  const patterns = [/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g, /^\s*\[[^\]^]+\]:\s+(\S+)/g, /\b(?:href|src)="([^"]+)"/g]
  return withoutCode(text)
    .split('\n')
    .flatMap((content, index) =>
      patterns.flatMap((pattern) =>
        [...content.matchAll(pattern)].map(([, target = '']) => ({ line: index + 1, target })),
      ),
    )
}

function leadsSomewhere(
  page: string,
  target: string,
  { pages, exists }: { pages: ReadonlyMap<string, string>; exists: (path: string) => boolean },
): boolean {
  if (/^[a-z][a-z+.-]*:/i.test(target) || target.startsWith('//')) return true
  const [file = '', heading = ''] = decodeURIComponent(target).split('#')
  const path = file === '' ? page : posix.join(posix.dirname(page), file).replace(/\/$/, '')
  if (path.startsWith('..') || !(pages.has(path) || exists(path))) return false
  const text = pages.get(path)
  return heading === '' || text === undefined || anchorsIn(text).has(heading)
}

/** The anchors GitHub gives to headings: lower case, punctuation gone, spaces to dashes, repeats numbered. */
export function anchorsIn(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const base = plain(heading)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    let anchor = base
    for (let repeat = 1; anchors.has(anchor); repeat += 1) anchor = `${base}-${repeat}`
    anchors.add(anchor)
  }
  for (const [, id = ''] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id)
  return anchors
}

/** A heading shows the text of a link, not its target. */
function plain(heading: string): string {
  return heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}

/** Blanks fenced blocks and code spans, keeping the lines. */
function withoutCode(text: string): string {
  return withoutFences(text).replaceAll(/`[^`\n]*`/g, '')
}

function withoutFences(text: string): string {
  return text.replaceAll(/^(\s*)(```+|~~~+)[\s\S]*?^\s*\2\s*$/gm, (block) => block.replaceAll(/[^\n]+/g, ''))
}
