import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directive, directivesIn, withDirective } from './conf-file.ts'

test('directivesIn() splits words as Redis does', () => {
  const text = '# bind 1.2.3.4\n  Bind 127.0.0.1 -::1\nsave ""\nrequirepass "a \\"b\\" \\x41"\nuser \'it\\\'s\'\n'
  assert.deepEqual(
    directivesIn(text).map(({ name, args }) => [name, ...args]),
    [
      ['bind', '127.0.0.1', '-::1'],
      ['save', ''],
      ['requirepass', 'a "b" A'],
      ['user', "it's"],
    ],
  )
})

test('withDirective() changes the line that counts, and no other', () => {
  const text = '# head\nbind 127.0.0.1\nport 6379\n# tail\nbind 10.0.0.1\n'
  assert.equal(directive(text, 'bind')?.line, 4)
  const changed = withDirective(text, 'bind', ['127.0.0.1 -::1'])
  assert.equal(changed, '# head\nport 6379\n# tail\nbind 127.0.0.1 -::1\n')
  assert.equal(withDirective(changed, 'bind', ['127.0.0.1   -::1']), changed)
})

test('withDirective() adds a line at the end, where it wins', () => {
  assert.equal(withDirective('port 1', 'appendonly', ['yes']), 'port 1\nappendonly yes\n')
})

test('withDirective() takes all lines of save as one setting', () => {
  const text = 'save 900 1\nport 1\nsave 60 10000\n'
  const fresh = withDirective(text, 'save', ['3600 1', '300 100'])
  assert.equal(fresh, 'port 1\nsave 3600 1\nsave 300 100\n')
  assert.equal(withDirective(fresh, 'save', ['3600 1', '300 100']), fresh)
  assert.equal(withDirective(text, 'save', ['""']), 'port 1\nsave ""\n')
})
