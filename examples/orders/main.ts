/** Starts the order service: `npm start`, or `node main.js` with the environment of README.md. */
import { hostname } from 'node:os'
import { createEvenkeel, EvenkeelError, OptionError } from 'evenkeel'
import { createService } from './app.ts'
import { printBanner } from './banner.ts'
import { createLogger } from './logger.ts'
import { readSettings } from './settings.ts'
import { stopOnSignals } from './stop.ts'

const WRONG_SETTING = 2

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const instance = `${hostname()}-${process.pid}`
  const logger = createLogger(settings.logLevel, instance)
  const keel = createEvenkeel({ ...settings.keel, logger })
  const service = createService({ keel, logger, instance, settings })
  stopOnSignals(service, logger)
  await service.start()
  const url = await service.app.listen({ host: settings.host, port: settings.port })
  printBanner(logger, { url, keel, dataDirectory: settings.dataDirectory })
}

/** One clear line instead of a stack: a setting that cannot work is not a crash. */
function explain(error: unknown): number {
  if (error instanceof EvenkeelError) {
    console.error(`evenkeel orders: ${error.message}${error.nextStep === undefined ? '' : ` ${error.nextStep}`}`)
    return error instanceof OptionError ? WRONG_SETTING : 1
  }
  if (isListenError(error)) {
    console.error(`evenkeel orders: cannot listen: ${error.message}. Choose another HOST or PORT.`)
    return WRONG_SETTING
  }
  console.error(error)
  return 1
}

function isListenError(error: unknown): error is Error {
  return (
    error instanceof Error && 'syscall' in error && ['listen', 'bind', 'getaddrinfo'].includes(String(error.syscall))
  )
}

try {
  await main()
} catch (error) {
  process.exit(explain(error))
}
