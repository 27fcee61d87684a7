/** The questions of the doctor to one server, over one connection. Nothing here throws. */
import { describeError, faultOfReply, type Argument, type Reply } from '../../link/index.ts'
import { failed, known, notAvailable, notPermitted, type Evidence, type Missing } from '../evidence.ts'
import { Refusal } from '../probes/redis-conversation.ts'

export interface Server {
  /** Missing when there is no answer, with the reason; an error reply of the server is a reason too. */
  ask(...args: readonly Argument[]): Promise<Evidence<Reply>>
}

/** A server that could not be spoken to: every question has the same answer. */
export function unreachable(why: string): Server {
  return { ask: async () => notAvailable(`the server could not be asked: ${why}`) }
}

/** Over a connection that is logged in. */
export function serverOver(ask: (...args: readonly Argument[]) => Promise<Reply>): Server {
  return {
    ask: async (...args) => {
      try {
        return known(await ask(...args))
      } catch (error) {
        return reasonOf(error, args)
      }
    },
  }
}

/** The first words of the question; a value never stands there. */
function nameOf([command, sub]: readonly Argument[]): string {
  return /^[A-Z]+$/.test(String(sub)) ? `${String(command)} ${String(sub)}` : String(command)
}

function reasonOf(error: unknown, args: readonly Argument[]): Missing {
  const name = nameOf(args)
  if (!(error instanceof Refusal)) return failed(`${name}: ${describeError(error)}`)
  const { code } = faultOfReply(error.message)
  if (code === 'no-permission') return notPermitted(`this user may not run ${name}`)
  if (code === 'unknown-command' || /unknown (sub)?command|not supported|is disabled/i.test(error.message))
    return notAvailable(`this server does not know ${name}`)
  // LOADING, BUSY, MASTERDOWN: true now, and the verdict tells of it.
  return notAvailable(`${name} is not answered now: ${describeError(error)}`)
}
