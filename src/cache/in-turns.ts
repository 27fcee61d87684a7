/**
 * Many calls, some at a time.
 */

/** So many at once that the last need not wait for its deadline in line behind the first. */
const AT_ONCE = 500

export async function inTurns<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < items.length; from += AT_ONCE)
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(run))))
  return results
}
