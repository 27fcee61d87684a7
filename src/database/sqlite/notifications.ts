/**
 * Messages with the embedded engine: within the process they are delivered at once, to other processes they go through a file
 * beside the database's. That somebody has written without a message is seen in the database's, and told as a gap.
 */
import type { Clock, TimerHandle } from '../../clock.ts'
import { Listeners } from '../notifications.ts'
import type { ChannelListener, Listening, Notifications } from '../notifications.ts'
import { channels as topics } from '../../telemetry/channels.ts'
import { MessageFile } from './message-file.ts'

/** How often the database's file is looked at: one read of a counter in shared memory. */
const LOOK_MS = 200

export interface SqliteNotificationsOptions {
  /** Of the database, for notices. */
  readonly name: string
  readonly clock: Clock
  /** Of the file through which messages go. */
  readonly path: string
  /** A number that changes whenever another process commits; undefined when it cannot be read now. */
  readonly dataVersion: () => number | undefined
}

export class SqliteNotifications implements Notifications {
  readonly statement = undefined
  readonly #options: SqliteNotificationsOptions
  readonly #listeners: Listeners
  readonly #file: MessageFile
  #usable = false
  #version: number | undefined
  #timer: TimerHandle | undefined

  constructor(options: SqliteNotificationsOptions) {
    this.#options = options
    this.#listeners = new Listeners(options.clock, options.name)
    this.#file = new MessageFile({
      path: options.path,
      onMessage: (channel, payload) => this.#listeners.deliver(channel, payload),
      onMissed: () => this.#listeners.gap(),
      onUnwatched: (why) => this.#unwatched(why),
    })
  }

  deliver(channel: string, payload: string): void {
    queueMicrotask(() => this.#listeners.deliver(channel, payload))
    this.#file.append(channel, payload)
  }

  listen(channel: string, listener: ChannelListener): Listening {
    this.#listeners.add(channel, listener)
    if (this.#usable) this.#begin([channel])
    const isActive = (): boolean => this.#usable
    return {
      get active() {
        return isActive()
      },
      close: () => this.#listeners.remove(channel, listener),
    }
  }

  usable(isUsable: boolean): void {
    if (isUsable === this.#usable) return
    this.#usable = isUsable
    if (isUsable) this.#begin(this.#listeners.channels)
    else this.#stop()
  }

  close(): void {
    this.#usable = false
    this.#stop()
    this.#listeners.clear()
  }

  #begin(channels: readonly string[]): void {
    if (channels.length === 0) return
    queueMicrotask(() => this.#listeners.gap(channels))
    this.#file.listen()
    if (this.#timer === undefined) this.#version = this.#options.dataVersion()
    this.#timer ??= this.#options.clock.setTimer(() => this.#look(), LOOK_MS)
  }

  #look(): void {
    this.#timer = undefined
    if (this.#listeners.channels.length === 0) return this.#file.close()
    this.#timer = this.#options.clock.setTimer(() => this.#look(), LOOK_MS)
    this.#file.look()
    const version = this.#options.dataVersion()
    if (version === undefined || version === this.#version) return
    this.#version = version
    this.#listeners.gap()
    this.#listeners.deaf(this.#options.clock.wallNow())
  }

  #stop(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#file.close()
    this.#listeners.deaf(this.#options.clock.wallNow())
  }

  /** Such as a limit of the system on watched files. */
  #unwatched(why: string): void {
    const message = `Messages of other processes are heard within ${LOOK_MS} ms and not at once, because their file cannot be watched: ${why}`
    topics.notice.publish({ source: this.#options.name, level: 'warn', message })
  }
}
