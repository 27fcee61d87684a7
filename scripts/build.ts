/** `npm run build`: writes `dist/`, one readable file per source file. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { root } from './project.ts'

rmSync(`${root}/dist`, { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
