import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redactor } from './redactor.ts'

const HASH = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7'

test('Redactor takes secrets out of the places where they stand', () => {
  const redactor = new Redactor([])
  const cases: [string, string][] = [
    ['REDIS_URL=redis://app:hun@ter2@h:6379/0', 'REDIS_URL=redis://app:***@h:6379/0'],
    ['requirepass "hunter 2"', 'requirepass "***"'],
    ['requirepass x', 'requirepass ***'],
    ['masterauth hunter2\nport 1', 'masterauth ***\nport 1'],
    ['redis-server --requirepass hunter2 --port 1', 'redis-server --requirepass *** --port 1'],
    ['["redis-server","--requirepass","hunter2"]', '["redis-server","--requirepass","***"]'],
    ['sentinel auth-pass mymaster hunter2', 'sentinel auth-pass mymaster ***'],
    ['rename-command CONFIG hunter2', 'rename-command CONFIG ***'],
    [`user app on >hunter2 #${HASH} >hunter3 ~* +@all`, 'user app on >*** #*** >*** ~* +@all'],
    ['ACL SETUSER app on >hunter2', 'ACL SETUSER app on >***'],
    ['AUTH hunter2', 'AUTH ***'],
    ['redis-cli -h x -a hunter2 ping', 'redis-cli -h x -a *** ping'],
    ['["CMD","redis-cli","-a","hunter2","ping"]', '["CMD","redis-cli","-a","***","ping"]'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
    ['REDIS_PASSWORD=hunter2\nPORT=1', 'REDIS_PASSWORD=***\nPORT=1'],
    ['      POSTGRES_PASSWORD: "hunter2"', '      POSTGRES_PASSWORD: "***"'],
    ['{"api_key":"k","port":1}', '{"api_key":"***","port":1}'],
    ['GET /x?token=abc&page=2', 'GET /x?token=***&page=2'],
    ['-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----', '***'],
  ]
  for (const [text, expected] of cases) assert.equal(redactor.text(text), expected, text)
})

test('Redactor takes a known secret out whole, whatever stands in it, and a pair within a value', () => {
  const redactor = new Redactor(['Tr0ub4dor&3xyzzy', 'correct horse battery'])
  const cases: [string, string][] = [
    ['REDIS_PASSWORD: Tr0ub4dor&3xyzzy', 'REDIS_PASSWORD: ***'],
    ['DB_PASSWORD: correct horse battery', 'DB_PASSWORD: ***'],
    ['Environment=REDIS_PASSWORD=hunter2secret', 'Environment=REDIS_PASSWORD=***'],
    ['Environment="REDIS_PASSWORD=hunter2secret"', 'Environment="REDIS_PASSWORD=***"'],
  ]
  for (const [text, expected] of cases) assert.equal(redactor.text(text), expected, text)
})

test('Redactor leaves what is no secret', () => {
  const redactor = new Redactor([])
  const texts = [
    'bind 127.0.0.1 -::1',
    'used_memory:1024',
    'redis://h:6379/0',
    'requirepass ""',
    'REDIS_PASSWORD_FILE=/run/secrets/x',
    `REDISCLI_AUTH="$(cat '/run/secrets/x')" redis-cli ping`,
    'NOAUTH Authentication required.',
    'the user says > nothing',
    'run_id:4b1c1f6f0f4a4b1c1f6f0f4a4b1c1f6f0f4a4b1c',
    'keys=1,expires=0',
  ]
  for (const text of texts) assert.equal(redactor.text(text), text)
})

test('Redactor finds known secrets anywhere, in every spelling, the longer one first', () => {
  const redactor = new Redactor(['p@ss "word"', 'p@ss', 'abc'])
  const base64 = Buffer.from('p@ss "word"').toString('base64')
  const text = `a p@ss "word" b p%40ss%20%22word%22 c ${JSON.stringify('p@ss "word"')} d ${base64} e p@ss f abc`
  assert.equal(redactor.text(text), 'a *** b *** c "***" d ***= e *** f abc')
})
