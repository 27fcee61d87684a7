/** Has everything examined that is named, and prints what was found. */
import { doctorUserCommand, examine, targetOfUrl, type Exhibits, type Targets } from '../operate/index.ts'
import type { DoctorArguments } from './doctor-arguments.ts'
import { writeBundle, type Collected } from './doctor-bundle.ts'
import { asJson, asNote, catalogueJson, listOfChecks } from './doctor-text.ts'
import { limitResolver, readTargets } from './endpoints.ts'
import { ending, painter } from './terminal.ts'

const NOTHING_FAILS = 0
const FAILS = 1

/**
 * Returns the exit code.
 * @throws OptionError when what is to be examined cannot be read
 */
export async function runDoctor(given: DoctorArguments): Promise<number> {
  if (given.instead === 'list') return await ending(catalogue(given), NOTHING_FAILS)
  if (given.instead === 'acl') return await ending(aclText(), NOTHING_FAILS)
  if (given.logs.length > 0) return await (await import('./run-doctor-log.ts')).runDoctorLog(given.logs, given)
  const { targets, notices } = targetsOf(given)
  for (const notice of notices) process.stderr.write(`note: ${notice}\n`)
  limitResolver()
  const collected = await examineEach(targets, given)
  if (given.bundle !== undefined) process.stderr.write(`${bundleNote(await writeBundle(given.bundle, collected))}\n`)
  const reports = collected.map(({ report }) => report)
  const fails = reports.some(({ findings }) => findings.some(({ state }) => state === 'fail'))
  const text = given.json ? asJson(reports) : asNote(reports, painter(process.stdout), given.verbose)
  return await ending(text, fails ? FAILS : NOTHING_FAILS)
}

function catalogue({ json, checks }: DoctorArguments): string {
  return json ? catalogueJson(checks) : listOfChecks(checks)
}

const LOCAL = 'redis://127.0.0.1:6379'

/** On the machine of Redis nothing needs to be said. */
function targetsOf(given: DoctorArguments): Targets {
  const named = readTargets(given)
  if (named.targets.length > 0) return named
  const password = process.env['REDISCLI_AUTH'] ?? ''
  const url = password === '' ? LOCAL : LOCAL.replace('//', `//:${encodeURIComponent(password)}@`)
  const notice = `No endpoint is named, so this is about ${LOCAL}.`
  return { targets: [targetOfUrl(url, 'nothing named', given.tls)], notices: [...named.notices, notice] }
}

function examineEach(targets: Targets['targets'], given: DoctorArguments): Promise<readonly Collected[]> {
  const { checks, hints, timeoutMs } = given
  const counts = targets.map(() => ({ done: 0, all: checks.length }))
  const shown = process.stderr.isTTY && !given.json
  const each = targets.map(async (target, index) => {
    const progress = (done: number, all: number): void => {
      counts[index] = { done, all }
      if (shown) process.stderr.write(`\r${progressText(counts)}`)
    }
    let exhibits: Exhibits | undefined
    const keep = { exhibits: (all: Exhibits): void => void (exhibits = all) }
    const options = { checks, hints, timeoutMs, progress, ...(given.bundle === undefined ? {} : keep) }
    const report = await examine(target, options)
    return { report, exhibits }
  })
  const cleared = (): void => void (shown && process.stderr.write('\r\u001B[K'))
  return Promise.all(each).finally(cleared)
}

function progressText(counts: readonly { done: number; all: number }[]): string {
  const sum = (field: 'done' | 'all'): number => counts.reduce((total, count) => total + count[field], 0)
  return `${sum('done')} of ${sum('all')} checks`
}

function bundleNote(path: string): string {
  return `Wrote ${path}: read it before you give it away, addresses and names of hosts are in it.`
}

function aclText(): string {
  return `${doctorUserCommand()}

# It sees names, types and sizes of keys, and nothing of what is in them. The part in brackets lets it read the one key
# that the check asks for; Redis before 7.0 does not know it: leave it out there, and that read is told as not permitted.
# Keep the user over a restart: ACL SAVE with an aclfile, else CONFIG REWRITE. Take it away: ACL DELUSER evenkeel-doctor.
`
}
