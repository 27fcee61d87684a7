/** A machine made up for a test: files and programs are what the test says, and nothing else is there. */
import { known, notAvailable, notPermitted, type Evidence } from '../../src/operate/evidence.ts'
import type { FileFacts, Host, ProgramResult } from '../../src/operate/host.ts'

export interface MadeUpHostOptions {
  /** Path → text; null: it is there and may not be read. Directories follow from the paths. */
  readonly files?: Readonly<Record<string, string | null>>
  /** What `stat` says beside what follows from `files`. */
  readonly facts?: Readonly<Record<string, Partial<FileFacts>>>
  /** Program → what it prints, or what it answers to these arguments. */
  readonly programs?: Readonly<Record<string, string | ((args: readonly string[]) => Evidence<ProgramResult>)>>
  readonly environment?: Host['environment']
}

const FACTS: FileFacts = { kind: 'file', bytes: 0, mode: 0o644, uid: 0, gid: 0, modifiedAt: 0 }

export function madeUpHost(options: MadeUpHostOptions = {}): Host {
  const { files = {}, facts = {}, programs = {}, environment = {} } = options
  const namesIn = (path: string): string[] => {
    const below = `${path.replace(/\/$/, '')}/`
    const inside = Object.keys(files).filter((file) => file.startsWith(below))
    return [...new Set(inside.map((file) => file.slice(below.length).split('/')[0] ?? ''))]
  }
  return {
    environment,
    readFile: async (path, { maxBytes = Infinity, fromEnd = false } = {}) => {
      const text = files[path]
      if (text === undefined) return notAvailable(`${path} is not there`)
      if (text === null) return notPermitted(`${path} may not be read by this user`)
      return known(fromEnd ? text.slice(-maxBytes) : text.slice(0, maxBytes))
    },
    list: async (path) => {
      const names = namesIn(path)
      return names.length === 0 ? notAvailable(`${path} is not there`) : known(names)
    },
    stat: async (path) => {
      const text = files[path]
      if (text !== undefined) return known({ ...FACTS, bytes: text?.length ?? 0, ...facts[path] })
      if (facts[path] === undefined && namesIn(path).length === 0) return notAvailable(`${path} is not there`)
      return known({ ...FACTS, kind: 'directory', ...facts[path] })
    },
    run: async (program, args) => {
      const answer = programs[program]
      if (answer === undefined) return notAvailable(`${program} is not there`)
      return typeof answer === 'string' ? known({ code: 0, stdout: answer, stderr: '' }) : answer(args)
    },
  }
}
