/** `npm run check`, step lock: package-lock.json is one that `npm ci` accepts. `--write` completes it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { completed, missingEntries, type Lock } from './lock.ts'
import { root } from './project.ts'

const path = `${root}/package-lock.json`
const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock
const missing = Object.keys(missingEntries(lock))
if (process.argv.includes('--write')) writeFileSync(path, `${JSON.stringify(completed(lock), null, 2)}\n`)
else if (missing.length > 0) {
  console.error(`package-lock.json lacks ${missing.join(', ')}; run node scripts/check-lock.ts --write`)
  process.exitCode = 1
}
console.log(`${Object.keys(lock.packages).length} packages, ${missing.length} were missing`)
