import assert from 'node:assert/strict'
import { test } from 'node:test'
import { opening } from './tour.ts'

test('opening() takes the first sentence, over lines, and no picture', () => {
  assert.equal(opening('a.ts', '/** One thing. And another. */\nexport {}'), 'One thing.')
  const drawn = '/**\n * Sends each call to\n * its node | e.g. here: by `slot`. More.\n *\n *     a ──▶ b\n */'
  assert.equal(opening('b.ts', drawn), 'Sends each call to its node \\| e.g. here: by `slot`.')
  assert.equal(opening('c.ts', '/**\n * Parts of it:\n *\n *     picture\n */'), 'Parts of it.')
  assert.throws(() => opening('d.ts', "import 'x'"), /d\.ts does not open with a comment/)
})
