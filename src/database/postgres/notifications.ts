/**
 * LISTEN on a connection of its own, opened with the first listener and kept alive by questions.
 *
 *     no listener ──▶ (nothing is open)
 *     listeners   ──▶ attempts ──▶ LISTEN, and a message to ourselves ──▶ it came: heard from now on, `onGap`
 *                         ▲                        └─ it did not: a pooler in between, tried again later
 *                         └── connection lost, or silent
 */
import type { Clock, TimerHandle } from '../../clock.ts'
import { channels } from '../../telemetry/channels.ts'
import { Attempts } from '../attempts.ts'
import { withDeadline } from '../deadline.ts'
import type { Deadline } from '../deadline.ts'
import { Listeners } from '../notifications.ts'
import type { ChannelListener, Listening, Notifications } from '../notifications.ts'
import type { Settings } from '../options.ts'
import type { PostgresConnection } from './connection.ts'

/** How often a silent connection is asked, and how long it has for its answer. */
const PING_EVERY_MS = 2000
const PING_MS = 1000
/** How long a message to ourselves may take. */
const ECHO_MS = 1000
const DEAF_POOLER_PAUSE_MS = 15_000
const ECHO_CHANNEL = 'evenkeel_echo'
const DEAF =
  'LISTEN does not work here: a pooler in transaction mode is in between, or the server is very slow. ' +
  'New work is found by looking for it; a direct connection would tell of it at once.'

export interface PostgresNotificationsOptions {
  readonly settings: Settings
  readonly open: (deadline: Deadline) => Promise<PostgresConnection>
  /** Sends a message over another connection than the one that listens. */
  readonly send: (channel: string, payload: string, deadline: Deadline) => Promise<void>
}

export class PostgresNotifications implements Notifications {
  readonly statement = 'SELECT pg_notify($1, $2)'
  readonly #options: PostgresNotificationsOptions
  readonly #clock: Clock
  readonly #listeners: Listeners
  readonly #attempts: Attempts
  #usable = false
  #trying = false
  #toldDeaf = false
  #connection: PostgresConnection | undefined
  /** Channels that the connection listens to. */
  readonly #heard = new Set<string>()
  /** What was begun on the connection last; never rejects. */
  #last: Promise<unknown> = Promise.resolve()
  /** Wall-clock time of the last sign of life. */
  #aliveAt = 0
  #timer: TimerHandle | undefined

  constructor(options: PostgresNotificationsOptions) {
    const { clock, random, connectTimeoutMs } = options.settings
    this.#options = options
    this.#clock = clock
    this.#listeners = new Listeners(clock, options.settings.name)
    this.#attempts = new Attempts({
      clock,
      random,
      limitMs: connectTimeoutMs,
      attempt: (deadline) => this.#open(deadline),
      onSuccess: () => this.#hears(),
      // The supervisor tells why the server is away; here it is only tried again.
      onFailure: () => undefined,
    })
  }

  deliver(): void {
    throw new Error('PostgreSQL delivers messages itself')
  }

  listen(channel: string, listener: ChannelListener): Listening {
    this.#listeners.add(channel, listener)
    this.#update(channel)
    const isActive = (): boolean => this.#heard.has(channel)
    return {
      get active() {
        return isActive()
      },
      close: () => {
        this.#listeners.remove(channel, listener)
        this.#update()
      },
    }
  }

  usable(isUsable: boolean): void {
    if (isUsable === this.#usable) return
    this.#usable = isUsable
    if (isUsable) this.#update()
    else this.#lost()
  }

  close(): void {
    this.#usable = false
    this.#listeners.clear()
    this.#lost()
  }

  /** Brings what is listened to in line with who listens. */
  #update(added?: string): void {
    const wanted = this.#listeners.channels
    if (wanted.length === 0) return this.#lost()
    if (this.#connection === undefined) return this.#try()
    if (added !== undefined && this.#heard.has(added)) queueMicrotask(() => this.#listeners.gap([added]))
    for (const channel of wanted) if (!this.#heard.has(channel)) this.#run('LISTEN', channel)
    for (const channel of this.#heard) if (!wanted.includes(channel)) this.#run('UNLISTEN', channel)
  }

  #try(): void {
    if (this.#trying || !this.#usable || this.#timer !== undefined) return
    this.#trying = true
    this.#attempts.begin()
  }

  #run(verb: 'LISTEN' | 'UNLISTEN', channel: string): void {
    const connection = this.#connection
    this.#last = this.#last
      .then(() => this.#command(connection, verb, channel))
      .catch(() => {
        // What failed on a connection that is in use ends it; a new one listens to everything again.
        if (connection === this.#connection) this.#lost()
      })
  }

  async #command(connection: PostgresConnection | undefined, verb: string, channel: string): Promise<void> {
    if (connection === undefined || connection !== this.#connection) return
    await withDeadline(this.#clock, PING_MS, (deadline) => connection.send(`${verb} "${channel}"`, deadline, 'no'))
    if (verb === 'UNLISTEN') this.#heard.delete(channel)
    else this.#heard.add(channel)
    if (verb === 'LISTEN') this.#listeners.gap([channel])
  }

  async #open(deadline: Deadline): Promise<void> {
    const connection = await this.#options.open(deadline)
    const wanted = this.#listeners.channels
    try {
      for (const channel of wanted) await connection.send(`LISTEN "${channel}"`, deadline, 'no')
      const hears = await this.#hearsItself(connection, deadline)
      if (!this.#usable || this.#connection !== undefined) throw new Error('No longer needed')
      if (!hears) return this.#isDeaf(connection)
    } catch (error) {
      connection.destroy()
      throw error
    }
    this.#connection = connection
    for (const channel of wanted) this.#heard.add(channel)
  }

  /** A pooler in transaction mode takes LISTEN and forgets it, so a message is sent from elsewhere and must arrive. */
  async #hearsItself(connection: PostgresConnection, deadline: Deadline): Promise<boolean> {
    const echo = Promise.withResolvers<boolean>()
    const nonce = String(this.#options.settings.random())
    connection.onNotification = ({ payload }) => {
      if (payload === nonce) echo.resolve(true)
    }
    await connection.send(`LISTEN "${ECHO_CHANNEL}"`, deadline, 'no')
    await this.#options.send(ECHO_CHANNEL, nonce, deadline)
    const silence = (): Error => new Error('no echo')
    const heard = await withDeadline(this.#clock, ECHO_MS, (limit) => limit.guard(echo.promise, silence)).catch(
      () => false,
    )
    await connection.send(`UNLISTEN "${ECHO_CHANNEL}"`, deadline, 'no')
    return heard
  }

  #isDeaf(connection: PostgresConnection): void {
    connection.destroy()
    if (!this.#toldDeaf) channels.notice.publish({ source: this.#options.settings.name, level: 'warn', message: DEAF })
    this.#toldDeaf = true
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined
      this.#update()
    }, DEAF_POOLER_PAUSE_MS)
  }

  #hears(): void {
    this.#trying = false
    const connection = this.#connection
    if (connection === undefined) return
    this.#toldDeaf = false
    connection.onNotification = ({ channel, payload = '' }) => {
      this.#aliveAt = this.#clock.wallNow()
      this.#listeners.deliver(channel, payload)
    }
    connection.onLost = () => {
      if (connection === this.#connection) this.#lost()
    }
    if (!connection.usable) return this.#lost()
    this.#aliveAt = this.#clock.wallNow()
    this.#timer = this.#clock.setTimer(() => this.#ping(connection), PING_EVERY_MS)
    this.#listeners.gap()
    this.#update()
  }

  #ping(connection: PostgresConnection): void {
    this.#timer = undefined
    this.#last = this.#last
      .then(() => withDeadline(this.#clock, PING_MS, (deadline) => connection.ping(deadline)))
      .then(() => {
        if (connection !== this.#connection) return
        this.#aliveAt = this.#clock.wallNow()
        this.#timer = this.#clock.setTimer(() => this.#ping(connection), PING_EVERY_MS)
      })
      .catch(() => {
        if (connection === this.#connection) this.#lost()
      })
  }

  /** Nothing is heard any more; tried again as long as somebody listens and the server is there. */
  #lost(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#attempts.stop()
    this.#trying = false
    if (this.#connection !== undefined) {
      this.#listeners.deaf(this.#aliveAt)
      this.#connection.destroy()
    }
    this.#connection = undefined
    this.#heard.clear()
    if (this.#listeners.channels.length > 0) this.#try()
  }
}
