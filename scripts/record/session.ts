/**
 * `npm run record -- session`: the order service on a terminal while its Redis is frozen and thawed.
 * Every command is run by a shell and every line is what was said; of the log, the lines without their fields.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pretty from 'pino-pretty'
import { mustRun } from '../command.ts'
import { OrderService, SEED_ORDER } from '../../test/support/order-service.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { eventually } from '../../test/support/wait.ts'

/** As the service itself writes for people on a terminal. */
const line = pretty.prettyFactory({ colorize: false, hideObject: true, translateTime: 'SYS:HH:MM:ss.l' })

const FROZEN_MS = 3000

export async function recordSession(): Promise<string> {
  await using redis = await RedisServer.start()
  await using service = await OrderService.start({ env: { REDIS_URL: redis.url } })
  const terminal = new Terminal(service, `$ REDIS_URL=${redis.url} PORT=${service.port} npm start`)
  const { order, health } = commandsFor(service)
  await terminal.untilHealth('healthy')
  await terminal.run(health)
  await terminal.run(`kill -STOP ${redis.pid}`, 'redis-server is frozen: its port still takes connections')
  await terminal.run(order)
  await terminal.untilHealth('degraded')
  await terminal.run(health)
  await terminal.run(order)
  await delay(FROZEN_MS)
  await terminal.run(`kill -CONT ${redis.pid}`)
  await terminal.untilHealth('healthy')
  await service.logged(/^Redis is back/)
  await terminal.run(health)
  return terminal.text
}

function commandsFor({ port }: OrderService): { readonly order: string; readonly health: string } {
  const place = `curl -s -X POST localhost:${port}/api/orders/ -H 'Content-Type: application/json'`
  return {
    order: `${place} \\\n    -d '${JSON.stringify(SEED_ORDER)}' | cut -c1-66`,
    health: `curl -s localhost:${port}/health | grep -oE '"(status|state|code)":"[^"]*"' | head -3 | tr '\\n' ' '`,
  }
}

/** What stands on the screen. */
class Terminal {
  readonly #service: OrderService
  readonly #lines: string[]
  #shown = 0
  #lastLength = -1

  constructor(service: OrderService, start: string) {
    this.#service = service
    this.#lines = [start]
  }

  get text(): string {
    return this.#lines.join('\n')
  }

  /** Runs a command and shows what it and the service said. */
  async run(command: string, comment = ''): Promise<void> {
    this.#showLog()
    this.#lines.push('', `$ ${command}${comment === '' ? '' : `      # ${comment}`}`)
    const output = await mustRun(['sh', '-c', command])
    if (output !== '') this.#lines.push(output.trimEnd())
    await eventually('the log to be quiet', () => this.#isQuiet(), { everyMs: 150 })
    this.#showLog()
  }

  async untilHealth(status: string): Promise<void> {
    const says = async (): Promise<boolean> => (await this.#service.get('/health')).body['status'] === status
    await eventually(`/health to say ${status}`, says)
  }

  #isQuiet(): boolean {
    const quiet = this.#service.log.length === this.#lastLength
    this.#lastLength = this.#service.log.length
    return quiet
  }

  #showLog(): void {
    const { log } = this.#service
    for (const entry of log.slice(this.#shown)) this.#lines.push(line(JSON.stringify(entry)).trimEnd())
    this.#shown = log.length
  }
}
