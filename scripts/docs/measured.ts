/**
 * Parts of the pages that quote a run on real servers. They stand between two comments, and only `npm run record` writes them:
 *
 *     <!-- measured: outages -->
 *     …
 *     <!-- /measured -->
 */

/** The page with the named part replaced; a page without that part is returned as it is. */
export function withMeasured(page: string, name: string, text: string): string {
  const pattern = new RegExp(`<!-- measured: ${name} -->\\n[\\s\\S]*?<!-- /measured -->`, 'g')
  return page.replaceAll(pattern, () => `<!-- measured: ${name} -->\n\n${text.trim()}\n\n<!-- /measured -->`)
}

/** The names of the measured parts of a page. */
export function measuredIn(page: string): string[] {
  return [...page.matchAll(/<!-- measured: ([\w-]+) -->/g)].map(([, name = '']) => name)
}
