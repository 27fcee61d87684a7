/** A process that holds sessions over one link; the test calls what `SessionFunctions` names. */
import { createDatabase } from 'evenkeel/database'
import { createLink } from 'evenkeel/link'
import { createSessions, type Sessions } from 'evenkeel/sessions'
import { answerCalls } from '../../support/answer-calls.ts'
import type { SessionFunctions, SessionOrder } from './session-functions.ts'

let sessions: Sessions | undefined

function opened(): Sessions {
  if (sessions === undefined) throw new Error('The sessions are not open')
  return sessions
}

async function open({ url, database: databaseUrl, secret }: SessionOrder): Promise<void> {
  const link = createLink({ url, name: `sessions-${process.pid}` })
  const database = databaseUrl === undefined ? undefined : createDatabase({ url: databaseUrl })
  const seal = secret === undefined ? {} : { seal: { secrets: [secret] } }
  sessions = createSessions({ link, database, ...seal })
  database?.start()
  sessions.start()
  link.start()
  await database?.ready()
}

answerCalls<SessionFunctions>({
  open,
  stats: () => opened().stats,
  get: (id, sealed) => opened().get(id, { sealed }),
  set: (id, data) => opened().set(id, data),
  touch: (id) => opened().touch(id),
  destroy: (id) => opened().destroy(id),
  copy: (id) => {
    const copy = opened().copy(id)
    return typeof copy === 'object' ? copy.text : undefined
  },
})
