import type { FaultStrategy, Treatment } from './fault.ts'

const drop: Treatment = async () => undefined

/** The server runs every command and nobody hears of it. */
export const dropReplies: FaultStrategy = { reply: drop }

/** Bytes vanish both ways, the FIN of either side too. */
export const dropAll: FaultStrategy = { request: drop, reply: drop }
