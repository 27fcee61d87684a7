import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from '../errors.ts'
import { targetOfUrl, targetsOfVariables } from './targets.ts'

test('targetOfUrl() knows the kind by the scheme, and shows no credential', () => {
  const urls = [
    'rediss://app:hunter2@cache.example:6380/2',
    'redis+sentinel://:hunter2@s1,s2/mymaster',
    'postgresql+asyncpg://app:hunter2@db.example/shop',
    'https://key:hunter2@s3.example/bucket?X-Amz-Signature=hunter2',
    'tcp://[::1]:25',
  ]
  const targets = urls.map((url) => targetOfUrl(url, 'argument 1'))
  assert.deepEqual(
    targets.map(({ kind, place }) => [kind, place]),
    [
      ['redis', 'cache.example:6380, database 2, TLS'],
      ['redis', "master 'mymaster' of sentinels s1:26379, s2:26379"],
      ['postgres', 'db.example:5432/shop'],
      ['http', 'https://s3.example/bucket'],
      ['tcp', '[::1]:25'],
    ],
  )
})

test('targetOfUrl() refuses what it cannot check, by the name under which it was given', () => {
  const wrong = [
    '',
    'localhost:6379',
    'amqp://u:hunter2@mq',
    'tcp://mq',
    'redis://u:hunter2@h:port',
    'http://:hunter2@',
  ]
  for (const url of wrong) {
    assert.throws(
      () => targetOfUrl(url, 'argument 2'),
      (error) => error instanceof OptionError && error.message.includes('argument 2') && !/hunter2/.test(error.message),
      url,
    )
  }
})

test('targetsOfVariables() says what it leaves out', () => {
  const { targets, notices } = targetsOfVariables({
    REDIS_URL: 'redis://cache.example',
    USE_MEMORY_MODE: 'true',
    CELERY_BROKER_URL: 'amqp://u:hunter2@mq',
    DATABASE_URL: 'mysql://u:hunter2@db/shop',
  })
  assert.deepEqual(targets, [])
  assert.equal(notices.length, 3)
  for (const name of ['USE_MEMORY_MODE', 'CELERY_BROKER_URL', 'DATABASE_URL'])
    assert.ok(notices.some((notice) => notice.includes(name) && !notice.includes('hunter2')))
})

test('targetsOfVariables() takes TLS files where the URL asks for TLS', () => {
  const ca = '-----BEGIN CERTIFICATE-----'
  const variables = { REDIS_URL: 'rediss://a', MEDUSA_REDIS_URL: 'redis://b' }
  const [secure, plain] = targetsOfVariables(variables, { ca }).targets
  assert.ok(secure?.kind === 'redis' && secure.endpoint.tls?.ca === ca)
  assert.ok(plain?.kind === 'redis' && plain.endpoint.tls === undefined)
})
