/**
 * The fence: an attempt may end a task only while the task is still that attempt's. Every statement that ends, extends
 * or reports on an attempt says it, by id, lease token, number of the attempt and state.
 */

/** For the test that shows what happens without it; not part of what the package exports. */
export const fence: { removed: boolean } = { removed: false }

/** The condition, in a statement that joins the table `t` with the rows `e`. */
export function heldBy(t: string, e: string): string {
  if (fence.removed) return `${t}.id = ${e}.task_id`
  return `${t}.id = ${e}.task_id AND ${t}.lease_token = ${e}.token AND ${t}.attempt = ${e}.was_attempt AND ${t}.state = 'running'`
}
