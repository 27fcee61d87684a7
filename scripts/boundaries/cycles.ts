/** Cycles in a directed graph. */

/**
 * One path around every cycle that a depth-first walk meets, first node repeated at the end.
 * Not every cycle of a tangle is listed; the list is empty exactly when there is none.
 */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const finished = new Set<string>()
  const path: string[] = []
  const cycles: string[][] = []
  const walk = (node: string): void => {
    const start = path.indexOf(node)
    if (start >= 0) cycles.push([...path.slice(start), node])
    if (start >= 0 || finished.has(node)) return
    path.push(node)
    for (const next of graph.get(node) ?? []) walk(next)
    path.pop()
    finished.add(node)
  }
  for (const node of graph.keys()) walk(node)
  return cycles
}
