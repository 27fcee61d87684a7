/** The first lines: where it listens, what it uses, how to try it. */
import { resolve } from 'node:path'
import type { Evenkeel, Logger } from 'evenkeel'

/** The order of the field document: what a first try looks like. */
const EXAMPLE =
  '{"user_id":999888,"energy_amount":32000,"duration":"1h","receive_address":"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}'

export interface BannerOptions {
  readonly url: string
  readonly keel: Pick<Evenkeel, 'link' | 'database'>
  readonly dataDirectory: string
}

export function printBanner(logger: Logger, { url, keel, dataDirectory }: BannerOptions): void {
  const redis = redisText(keel.link)
  const database = keel.database.engine === 'sqlite' ? `node:sqlite in ${resolve(dataDirectory)}` : 'PostgreSQL'
  logger.info({ url, redis, database }, `Listening at ${url}`)
  if (!process.stdout.isTTY) return
  console.log(`
  orders     ${url}/api/orders/
  health     ${url}/health   ${url}/livez   ${url}/readyz
  metrics    ${url}/metrics
  Redis      ${redis}
  database   ${database}

  curl -X POST ${url}/api/orders/ -H 'Content-Type: application/json' \\
    -d '${EXAMPLE}'
`)
}

function redisText({ health }: Evenkeel['link']): string {
  if (health.state === 'isolated') return `not used. ${health.reason.nextStep}`
  return 'used when it is there, never waited for'
}
