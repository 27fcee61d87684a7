/** Stopping on SIGTERM and SIGINT: in order and soon the first time, at once the second time. */
import type { Logger } from 'evenkeel'
import type { Service } from './app.ts'

/** Whatever hangs then is left behind. */
const LIMIT_MS = 4500
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const

export function stopOnSignals(service: Pick<Service, 'app' | 'stop'>, logger: Logger): void {
  let asked = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (asked) process.exit(EXIT_CODES[signal])
      asked = true
      logger.info(
        { signal },
        `${signal}: stopping. Requests and orders in work are finished; another signal ends it at once.`,
      )
      void stop(service, logger)
    })
}

async function stop(service: Pick<Service, 'app' | 'stop'>, logger: Logger): Promise<void> {
  const limit = setTimeout(() => {
    logger.warn(
      {},
      `Not everything ended within ${LIMIT_MS} ms; what is left is given up. No order is lost: leases run out.`,
    )
    process.exit(1)
  }, LIMIT_MS)
  try {
    await service.stop()
    clearTimeout(limit)
    logger.info({}, 'Stopped.')
    process.exit(0)
  } catch (error) {
    logger.error({ err: error }, 'Stopping failed.')
    process.exit(1)
  }
}
