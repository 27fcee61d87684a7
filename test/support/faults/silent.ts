import type { FaultStrategy } from './fault.ts'

/** A load balancer without a backend: connections are accepted, and whatever was or gets connected stays dead for ever. */
export const silent: FaultStrategy = { enter: (connection) => connection.sever() }
