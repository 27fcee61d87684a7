export { createSessions } from './sessions.ts'
export type { Kept, SaveOptions, Sessions, SessionStats } from './sessions.ts'
export type { SessionSettings, SessionsOptions } from './options.ts'
