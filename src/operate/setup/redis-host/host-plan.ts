/** Puts the chosen fix into files, programs and proofs. */
import { basename, dirname, join } from 'node:path'
import type { Host } from '../../host.ts'
import { targetOfUrl } from '../../targets.ts'
import { onDisk, readState } from '../disk.ts'
import {
  commented,
  hasNothingToDo,
  type FileChange,
  type FileState,
  type Plan,
  type Proof,
  type Reasoned,
  type Step,
} from '../plan.ts'
import { appended, directive, withDirective } from '../redis-conf/conf-file.ts'
import { makePassword } from '../secrets.ts'
import { choose, type Choice, type Wishes } from './choice.ts'
import { readHostFacts, type FactOptions, type HostFacts } from './host-facts.ts'
import { ADDRESS_UNIT, addressUnit, dropIn, SYSCTL_FILE, sysctlLines, undoOfKernel } from './host-files.ts'
import { notesOn } from './host-notes.ts'
import { withoutDockerRequirement } from './unit.ts'

export interface RedisHostOptions extends FactOptions, Wishes {
  /** That Redis has, where it cannot be read, or is to have. @default what the configuration says, else a new one */
  readonly password?: string | undefined
}

export const HOST_JOURNAL = '/var/lib/evenkeel/setup'

/** @throws OptionError when something must be said that cannot be found out */
export async function planRedisHost(host: Host, options: RedisHostOptions): Promise<Plan> {
  const facts = await readHostFacts(host, options)
  const choice = choose(facts, options)
  const secret = choice.needsPassword ? await secretFor(facts, options.password) : undefined
  const files = choice.fix === 'none' ? [] : await filesFor(facts, choice, secret)
  const plan = { files, steps: [] as readonly Step[] }
  const steps = hasNothingToDo(plan) ? [] : stepsFor(facts, choice)
  const known = secret?.password ?? options.password ?? facts.conf.words('requirepass')?.[0]
  return {
    name: 'redis-host',
    choice: choice.why,
    root: facts.root,
    journal: HOST_JOURNAL,
    files,
    steps,
    proofs: facts.root === '/' ? proofsFor(facts, choice, known) : [],
    notes: notesOn(facts, choice, options),
  }
}

/** A password, and the file of its own that it stands in. */
interface Secret {
  readonly password: string
  readonly path: string
  readonly before: FileState | undefined
  /** Nobody but setup has it. */
  readonly isOurs: boolean
}

/** The one that was given, else the one that an undo has left here, which clients may have, else a new one. */
async function secretFor({ root, conf }: HostFacts, given: string | undefined): Promise<Secret> {
  const path = join(dirname(conf.main.path), 'evenkeel-password.conf')
  const before = await readState(await onDisk(root, path))
  const kept = directive(before?.text ?? '', 'requirepass')?.args[0]
  return { password: given ?? kept ?? makePassword(), path, before, isOurs: given === undefined }
}

async function filesFor(facts: HostFacts, choice: Choice, secret: Secret | undefined): Promise<FileChange[]> {
  const { root, unit } = facts
  const own = async (path: string, lines: readonly Reasoned[]): Promise<FileChange> => {
    const before = await readState(await onDisk(root, path))
    return { path, before, after: `${commented(lines)}\n`, mode: 0o644, secret: false, reasons: lines }
  }
  const files = [...configurationChanges(facts, choice, secret)]
  if (choice.fix === 'nonlocal') files.push(await own(SYSCTL_FILE, sysctlLines(choice)))
  if (choice.fix === 'host-address') files.push(await own(ADDRESS_UNIT, addressUnit(choice, unit.name)))
  files.push(await own(join('/etc/systemd/system', `${unit.name}.d`, 'zz-evenkeel.conf'), dropIn(choice.fix)))
  return [...files, ...unitChanges(facts)]
}

/** The bind line where it counts; a new password in a file of its own. */
function configurationChanges({ conf }: HostFacts, choice: Choice, secret: Secret | undefined): FileChange[] {
  const bind = conf.with('bind', [choice.bind.join(' ')])
  const bindReason = { line: `bind ${choice.bind.join(' ')}`, why: BIND_WHY }
  const change = (file: typeof bind, after: string, reasons: readonly Reasoned[]): FileChange => ({
    path: file.path,
    before: file.state,
    after,
    mode: file.state.mode,
    secret: false,
    reasons,
  })
  if (secret === undefined) return [change(bind, bind.after, [bindReason])]
  const { path } = secret
  const include = { line: `include ${path}`, why: INCLUDE_WHY }
  const main = bind.path === conf.main.path ? bind : { ...conf.main, after: conf.main.state.text }
  const withInclude = conf.directives.some(({ name, args }) => name === 'include' && args[0] === path)
    ? main.after
    : appended(main.after, [include.line])
  const others = main === bind ? [] : [change(bind, bind.after, [bindReason])]
  return [
    ...others,
    change({ ...main, after: withInclude }, withInclude, [bindReason, include]),
    passwordFile(conf.main.state, secret),
  ]
}

/** Read by whoever reads redis.conf. */
function passwordFile({ uid, gid }: FileState, { path, password, before, isOurs }: Secret): FileChange {
  return {
    path,
    before,
    after: withDirective(before?.text ?? '', 'requirepass', [password]),
    mode: 0o640,
    owner: { uid, gid },
    secret: true,
    keep: isOurs,
    reasons: [{ line: 'requirepass …', why: PASSWORD_WHY }],
  }
}

const BIND_WHY =
  'Every address is plain: one with - would be skipped at a boot without its bridge and never be bound again, while systemd shows the service as active. Only ::1 is optional, because Redis does not start with it where IPv6 is off.'
const INCLUDE_WHY =
  'The password stands in a file of its own, so that this one can be shown and kept in version control.'
const PASSWORD_WHY =
  'Redis 7.0 and newer answer -DENIED on every address but localhost while there is no password. Turning protected-mode off would open the data to every container and to whoever reaches the bridges.'

/** A hard dependency cannot be taken back by a drop-in, so its line is taken out. Files of packages are not touched. */
function unitChanges({ unit }: HostFacts): FileChange[] {
  const owned = [unit.file, ...unit.dropIns].filter(({ path }) => path.startsWith('/etc/'))
  return owned.flatMap(({ path, state }) => {
    const after = withoutDockerRequirement(state.text)
    if (after === state.text) return []
    const reasons = [{ line: 'without Requires=, BindsTo= and the like on docker.service', why: DOCKER_WHY }]
    return [{ path, before: state, after, mode: state.mode, secret: false, reasons }]
  })
}

const DOCKER_WHY =
  "With it Redis is never started when Docker's first start fails, and stopped, for good, whenever Docker is stopped."

/** The programs that take them back run in the same order, once the files are as they were. */
function stepsFor(facts: HostFacts, choice: Choice): readonly Step[] {
  const { unit, nonlocalBind } = facts
  const { fix } = choice
  const systemctl = (...args: string[]): string[] => ['systemctl', ...args]
  const kernel: Step = {
    args: ['sysctl', '-p', SYSCTL_FILE],
    why: 'the kernel takes the setting now, and at every boot before Redis',
    undo: undoOfKernel({ bind: choice.bind, nonlocalBind }),
  }
  const removeAddress = { undo: systemctl('stop', basename(ADDRESS_UNIT)) }
  const steps: Step[] = [
    {
      args: systemctl('daemon-reload'),
      why: 'systemd reads its files again',
      ...(fix === 'host-address' ? removeAddress : {}),
    },
    {
      args: systemctl('reset-failed', unit.name),
      why: 'earlier failures no longer count',
      optional: true,
      undo: systemctl('daemon-reload'),
    },
    {
      args: systemctl('restart', unit.name),
      why: 'it starts as it would at a boot',
      undo: systemctl('restart', unit.name),
    },
  ]
  const enable: Step = {
    args: systemctl('enable', unit.name),
    why: 'it starts at a boot at all',
    undo: systemctl('disable', unit.name),
  }
  return [...(fix === 'nonlocal' ? [kernel] : []), ...steps, ...(unit.enabled ? [] : [enable])]
}

const DEFAULT_PORT = 6379

/** An address that no interface has cannot be connected to; that its socket is open can be seen. */
function proofsFor(facts: HostFacts, choice: Choice, password: string | undefined): readonly Proof[] {
  const port = Number(facts.conf.words('port')?.[0] ?? DEFAULT_PORT)
  const canAsk = port !== 0 && (facts.password !== 'acl' || password !== undefined)
  const listens = port === 0 ? Number(facts.conf.words('tls-port')?.[0] ?? DEFAULT_PORT) : port
  return choice.wanted.map((address): Proof => {
    const there = facts.present.includes(address) || choice.fix === 'host-address'
    if (!there || !canAsk) return { kind: 'listens', address, port: listens }
    const account = password === undefined ? '' : `:${encodeURIComponent(password)}@`
    const host = address.includes(':') ? `[${address}]` : address
    return { kind: 'serves', target: targetOfUrl(`redis://${account}${host}:${port}`, `bind ${address}`) }
  })
}
