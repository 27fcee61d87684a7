/** Where the project is and what its package.json says. */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The folder that holds package.json, without a slash at the end. */
export const root: string = dirname(import.meta.dirname)

/** The part of package.json that the scripts read. */
export interface Manifest {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export const manifest: Manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Manifest

/** One subpath that users may import. */
export interface PublicEntry {
  /** As users write it, such as `evenkeel/link`. */
  readonly name: string
  /** The source file behind it, such as `src/link/index.ts`. */
  readonly source: string
}

/** Every subpath export that has code behind it. */
export function publicEntries(): PublicEntry[] {
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    const source = typeof target === 'string' ? undefined : target['evenkeel-source']
    return source === undefined ? [] : [{ name: `evenkeel${subpath.slice(1)}`, source: source.slice(2) }]
  })
}
