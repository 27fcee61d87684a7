/** What is done again and again while Redis comes and goes, by the tests here and by `npm run bench:outage`. */

/**
 * What somebody waits for; rejects when they are answered with an error. Given a number that no call had before, it asks a cache for
 * something that is not in its memory, so that Redis has a part in every call.
 */
export type Operation = (n: number) => Promise<unknown>
