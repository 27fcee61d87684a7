import type { FaultStrategy } from './fault.ts'

/** Connections are accepted and closed politely. */
export const acceptClose: FaultStrategy = { enter: (connection) => connection.finish() }

/** Connections are accepted and reset. */
export const acceptReset: FaultStrategy = { enter: (connection) => connection.reset() }

/** The port is closed: ECONNREFUSED for new connections, RST for those there were. */
export const refuse: FaultStrategy = { refuses: true, enter: (connection) => connection.reset() }
