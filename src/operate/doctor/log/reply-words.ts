/** Error replies of Redis as they stand in logs: somewhere in the line, and in some clients without their first word. */
import { faultOfReply, type Fault } from '../../../link/index.ts'

/** Where a reply may begin. The second word is asked for where the first one is a word of everybody's. */
const BEGINNING =
  /\b(?:NOAUTH Auth|WRONGPASS |MISCONF |OOM command|LOADING (?:Redis|Valkey|server)|READONLY You|MASTERDOWN |BUSY |UNKILLABLE |NOREPLICAS |CLUSTERDOWN |NOPERM |DENIED |NOPROTO |NOSCRIPT |NOGROUP |EXECABORT |UNBLOCKED |NOGOODSLAVE |NOQUORUM|IDONTKNOW |MOVED \d|ASK \d|TRYAGAIN |CROSSSLOT |WRONGTYPE Operation|IOERR |ERR )/g

/** redis-py makes a class of the first word and leaves it out of the text. */
const CLASSES: Readonly<Record<string, string>> = {
  AuthenticationError: 'WRONGPASS',
  BusyLoadingError: 'LOADING',
  ClusterDownError: 'CLUSTERDOWN',
  ExecAbortError: 'EXECABORT',
  MasterDownError: 'MASTERDOWN',
  NoPermissionError: 'NOPERM',
  NoScriptError: 'NOSCRIPT',
  OutOfMemoryError: 'OOM',
  ReadOnlyError: 'READONLY',
  ResponseError: 'ERR',
  ConnectionError: 'ERR',
  MaxClientsError: 'ERR',
}
const CLASS = /\b(?:redis|valkey)\.exceptions\.(\w+): (.*)/

/** The fault that an error reply in this line means; undefined when there is none that is known. */
export function replyFaultIn(line: string): Fault | undefined {
  const [, name = '', text = ''] = CLASS.exec(line) ?? []
  const prefix = /^authentication required/i.test(text) ? 'NOAUTH' : CLASSES[name]
  const candidates = [...line.matchAll(BEGINNING)].map(({ index }) => line.slice(index))
  if (prefix !== undefined) candidates.push(`${prefix} ${text}`)
  return candidates.map(faultOfReply).find(({ code }) => code !== UNKNOWN.code)
}

const UNKNOWN = faultOfReply('')
