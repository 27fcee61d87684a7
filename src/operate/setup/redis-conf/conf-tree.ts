/** A redis.conf together with the files that it includes, in the order in which Redis reads them. */
import { basename, dirname, isAbsolute, join } from 'node:path'
import { valueOr } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import { onDisk, readState } from '../disk.ts'
import type { FileState } from '../plan.ts'
import { directivesIn, withDirective, type Directive } from './conf-file.ts'

/** One file of the tree. */
export interface ConfFile {
  /** As the system that is set up names it. */
  readonly path: string
  readonly state: FileState
}

export interface Found extends Directive {
  readonly file: string
}

/** Deeper than this is a circle. */
const MAX_DEPTH = 8

export class ConfTree {
  readonly main: ConfFile
  readonly files: readonly ConfFile[]
  /** Every directive in the order of reading. */
  readonly directives: readonly Found[]

  private constructor(
    main: ConfFile,
    read: { readonly files: readonly ConfFile[]; readonly directives: readonly Found[] },
  ) {
    this.main = main
    this.files = read.files
    this.directives = read.directives
  }

  /** Undefined: there is no such file. */
  static async read(host: Host, root: string, path: string): Promise<ConfTree | undefined> {
    const reading: Reading = { host, root, files: [], directives: [] }
    await readInto(reading, path, 0)
    const main = reading.files.find((file) => file.path === path)
    return main === undefined ? undefined : new ConfTree(main, reading)
  }

  /** What counts: the last one of this name. */
  get(name: string): Found | undefined {
    return this.directives.findLast((one) => one.name === name)
  }

  words(name: string): readonly string[] | undefined {
    return this.get(name)?.args
  }

  /** The file that must change for this, with its new text; where nothing says it yet, the main one. */
  with(name: string, values: readonly string[]): ConfFile & { readonly after: string } {
    const place = this.get(name)?.file ?? this.main.path
    const file = this.files.find(({ path }) => path === place) ?? this.main
    return { ...file, after: withDirective(file.state.text, name, values) }
  }
}

interface Reading {
  readonly host: Host
  readonly root: string
  readonly files: ConfFile[]
  readonly directives: Found[]
}

async function readInto(reading: Reading, path: string, depth: number): Promise<void> {
  const state = await readState(await onDisk(reading.root, path))
  if (state === undefined) return
  reading.files.push({ path, state })
  for (const one of directivesIn(state.text)) {
    reading.directives.push({ ...one, file: path })
    if (one.name !== 'include' || depth >= MAX_DEPTH) continue
    for (const included of await expanded(reading, one.args[0] ?? '')) await readInto(reading, included, depth + 1)
  }
}

/** Since 7.0 the last part of the path may hold `*` and `?`. A relative path begins where Redis was started: at the root, by systemd. */
async function expanded({ host, root }: Reading, pattern: string): Promise<readonly string[]> {
  const path = isAbsolute(pattern) ? pattern : join('/', pattern)
  const name = basename(path)
  if (!/[*?]/.test(name)) return [path]
  const names = valueOr(await host.list(join(root, dirname(path))), [])
  const escaped = name.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  const wanted = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  return names
    .filter((one) => wanted.test(one))
    .toSorted()
    .map((one) => join(dirname(path), one))
}
