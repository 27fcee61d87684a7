import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { guardedLogger, plainLogger, withoutSecrets, type Logger } from './logging.ts'

test('plainLogger() writes one line: time, level, message, fields', () => {
  const lines: string[] = []
  const logger = plainLogger(
    (line) => lines.push(line),
    () => Date.UTC(2026, 1, 8),
  )
  logger.warn({ event: 'incident.opened' }, 'Redis is away.')
  assert.deepEqual(lines, ['2026-02-08T00:00:00.000Z WARN Redis is away. {"event":"incident.opened"}\n'])
})

test('an instance of pino is a Logger', () => {
  const lines: string[] = []
  const logger: Logger = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) })
  guardedLogger(logger).error({ error: { code: 'refused' } }, 'Redis is away.')
  assert.deepEqual(lines, ['{"level":50,"error":{"code":"refused"},"msg":"Redis is away."}\n'])
})

test('withoutSecrets() masks by name and within texts, at every depth', () => {
  const fields = {
    url: 'redis://app:p@ss:word@cache:6379/0 and postgres://u:s3cret@db/x',
    options: { password: 'hunter2', list: [{ apiKey: 'k', lease_token: 't' }, 'rediss://:p4ss@host'] },
    headers: { authorization: 'Bearer x', cookie: 'sid=1' },
    passed: 3,
  }
  assert.deepEqual(withoutSecrets(fields), {
    url: 'redis://app:***@cache:6379/0 and postgres://u:***@db/x',
    options: { password: '***', list: [{ apiKey: '***', lease_token: '***' }, 'rediss://:***@host'] },
    headers: { authorization: '***', cookie: '***' },
    passed: 3,
  })
})

test('withoutSecrets() leaves alone what is no secret, and survives circles', () => {
  const circle: Record<string, unknown> = { at: 'redis://cache:6379/0', error: new Error('x'), none: null }
  circle['self'] = circle
  const clean = withoutSecrets(circle)
  assert.equal(clean['at'], 'redis://cache:6379/0')
  assert.equal(clean['error'], circle['error'])
  assert.equal(clean['none'], null)
})

test('guardedLogger() takes secrets out of messages and lets no exception through', async () => {
  const messages: string[] = []
  const broken: Logger = {
    info: (_fields, message) => void messages.push(message),
    warn: () => {
      throw new Error('disk full')
    },
    error: () => undefined,
  }
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const logger = guardedLogger(broken)
  logger.info({}, 'Connected to redis://:geheim@cache:6379.')
  logger.warn({}, 'Redis is away.')
  assert.deepEqual(messages, ['Connected to redis://:***@cache:6379.'])
  assert.match((await warned).message, /disk full/)
})
