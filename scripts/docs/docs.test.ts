import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplesIn } from './examples.ts'
import { regenerate } from './generated.ts'
import { anchorsIn, brokenLinks } from './links.ts'

function dead(pages: Record<string, string>, files: readonly string[] = []): string[] {
  const found = brokenLinks(new Map(Object.entries(pages)), (path) => files.includes(path))
  return found.map(({ page, line, target }) => `${page}:${line} ${target}`)
}

test('brokenLinks() finds a missing file in links, images, definitions and HTML', () => {
  const text = '[a](docs/none.md)\n![b](none.png "title")\n[c]: none.txt\n<img src="none.svg">'
  assert.deepEqual(dead({ 'README.md': text }), [
    'README.md:1 docs/none.md',
    'README.md:2 none.png',
    'README.md:3 none.txt',
    'README.md:4 none.svg',
  ])
})

test('brokenLinks() resolves from the folder of the page and never leaves the project', () => {
  const pages = {
    'docs/a.md': '[up](../README.md) [file](../src/x.ts) [out](../../else.md)',
    'README.md': '[d](docs/)',
  }
  assert.deepEqual(dead(pages, ['src/x.ts', 'docs', '../else.md']), ['docs/a.md:1 ../../else.md'])
})

test('brokenLinks() finds a missing heading', () => {
  const pages = { 'a.md': '# One two\n[ok](#one-two) [no](#three) [ok](b.md#x) [no](b.md#y)', 'b.md': '## X' }
  assert.deepEqual(dead(pages), ['a.md:2 #three', 'a.md:2 b.md#y'])
})

test('brokenLinks() leaves code and other sites alone', () => {
  const text = '```md\n[a](none.md)\n```\n`[b](none.md)` [c](https://example.com/x) [d](mailto:a@b.c)'
  assert.deepEqual(dead({ 'README.md': text }), [])
})

test('anchorsIn() names headings as GitHub does', () => {
  const text =
    '# `createLink()`: the door\n## Läuft, 100 %\n## A\n## A\n## [Link](x.md) 缓存\n```\n# no heading\n```\n<a id="own"></a>'
  const expected = ['createlink-the-door', 'läuft-100-', 'a', 'a-1', 'link-缓存', 'own']
  assert.deepEqual([...anchorsIn(text)], expected)
})

test('examplesIn() keeps each line where it is in the page', () => {
  const [example, ...more] = examplesIn('# Title\n\n```ts\nconst a = 1\n\nconst b = a\n```\n')
  assert.deepEqual(example, { line: 3, text: 'export {}\n\n\nconst a = 1\n\nconst b = a\n' })
  assert.deepEqual(more, [])
})

test('examplesIn() joins what continues, and what was said before in a comment', () => {
  const page =
    '<!-- ts\ndeclare const a: 1\n-->\n```ts\na\n```\ntext\n```ts continue\nb\n```\n```ts\nc\n```\n```sh\nnpm i\n```\n'
  assert.deepEqual(examplesIn(page), [
    { line: 1, text: 'export {}\ndeclare const a: 1\n\n\na\n\n\n\nb\n' },
    { line: 11, text: `export {}${'\n'.repeat(11)}c\n` },
  ])
})

test('regenerate() writes what stands between the comments and nothing else', () => {
  const page = 'a\n<!-- generated: link-transitions -->\nold\n<!-- /generated -->\nb'
  const fresh = regenerate(page)
  assert.match(
    fresh,
    /^a\n<!-- generated: link-transitions -->\n\n\| from \\ to \| connecting \| up .*\n\n<!-- \/generated -->\nb$/s,
  )
  assert.equal(regenerate(fresh), fresh)
  assert.throws(() => regenerate('<!-- generated: nothing -->\n<!-- /generated -->'), /Nothing writes 'nothing'/)
})
