/** `npm run check`, step boundaries: holds every import of the project against the table in boundaries/table.ts. */
import { globSync, readFileSync } from 'node:fs'
import { emptyParts, violationsIn } from './boundaries/rules.ts'
import { manifest, publicEntries, root } from './project.ts'

const paths = globSync('{src,examples,bench,test,scripts}/**/*.ts', { cwd: root }).toSorted()
const violations = violationsIn({
  files: new Map(paths.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')])),
  entries: publicEntries().map(({ source }) => source),
  packages: [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies ?? {})],
})
for (const { path, line, message } of violations) console.error(`${path}:${line} ${message}`)
const empty = emptyParts(paths)
for (const part of empty) console.error(`scripts/boundaries/table.ts: there is no '${part}'`)
console.log(`${paths.length} files, ${violations.length} violations`)
process.exitCode = violations.length + empty.length > 0 ? 1 : 0
