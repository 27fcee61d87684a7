/** Plans, and what became of them, in words. */
import { diffOf, pending, wrapped } from '../operate/index.ts'
import type { Applied, FileChange, Plan, Proof, Proven, TakenBack, Undoing } from '../operate/index.ts'
import type { Paint } from './terminal.ts'

/** For people: the choice, the diff, the reasons that the files do not hold themselves, what is run and proven. */
export function planText(plan: Plan, paint: Paint): string {
  const changes = pending(plan)
  const parts = [
    wrapped(plan.choice, WIDTH).join('\n'),
    ...changes.map((change) => changeText(change, paint)),
    block(
      'Then it runs',
      (plan.root === '/' ? plan.steps : []).map(
        ({ args, why }) => `${args.join(' ').padEnd(STEP_WIDTH)}  ${paint('dim', why)}`,
      ),
    ),
    block('And proves', changes.length === 0 ? [] : plan.proofs.map(proofText)),
    plan.notes.map((note) => `${paint('warning', '!')} ${wrapped(note, WIDTH).join('\n  ')}`).join('\n'),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const STEP_WIDTH = 46
/** Of sentences; lines of files are as long as they are. */
const WIDTH = 110

function block(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n')
}

function changeText(change: FileChange, paint: Paint): string {
  const { before, mode } = change
  const tones = { '+': 'ok', '-': 'failed', '@': 'dim' } as const
  const lines = diffOf(change).split('\n')
  const painted = lines.map((line, index) => {
    const tone = index < 2 ? 'dim' : tones[line[0] as keyof typeof tones]
    return tone === undefined ? line : paint(tone, line)
  })
  const octal = (bits: number): string => `0${bits.toString(8)}`
  const modes =
    before === undefined || before.mode === mode ? [] : [paint('dim', `mode ${octal(before.mode)} → ${octal(mode)}`)]
  return [...painted, ...modes, ...reasonsOf(change, lines, paint)].join('\n')
}

/** New files say why in themselves; a file that somebody else wrote is not filled with remarks. */
function reasonsOf({ before, after, reasons, secret }: FileChange, diff: readonly string[], paint: Paint): string[] {
  const told = reasons.filter(({ line, why }) => {
    if (why === '' || line === '') return false
    if (secret || before === undefined) return secret
    return diff.includes(`+${line}`) || !after.includes(line)
  })
  return told.flatMap(({ line, why }) => [
    `  ${paint('dim', 'why')}  ${line}`,
    ...wrapped(why, WIDTH).map((text) => paint('dim', `       ${text}`)),
  ])
}

function proofText(proof: Proof): string {
  if (proof.kind === 'serves') return `Redis answers at ${proof.target.place}, as evenkeel check sees it`
  return `Redis listens at ${proof.address}, port ${proof.port}`
}

export function appliedText(applied: Applied, paint: Paint): string {
  switch (applied.outcome) {
    case 'nothing-to-do':
      return 'Nothing to do.\n'
    case 'done':
      return [...applied.proven.map((one) => provenText(one, paint)), `${paint('ok', '✓')} Done.`, ''].join('\n')
    case 'rolled-back': {
      const state = stateAfter(applied)
      const left = [...applied.left, ...applied.failed].map((line) => `  ${line}`)
      const lines = [`${paint('failed', '✗')} ${applied.failure}`, state, ...left]
      return [...applied.proven.map((one) => provenText(one, paint)), ...lines, ''].join('\n')
    }
  }
}

function stateAfter({ left, failed }: Extract<Applied, { outcome: 'rolled-back' }>): string {
  if (left.length > 0) return 'Nothing could be put back:'
  return failed.length === 0 ? 'Everything is as it was before.' : 'Every file is as it was before, but:'
}

function provenText({ what, ok, detail }: Proven, paint: Paint): string {
  return `${ok ? paint('ok', '✓') : paint('failed', '✗')} ${what}: ${detail}`
}

/** For machines. No content of a file with a password. */
export function planJson(plan: Plan, applied: Applied | undefined): string {
  const files = pending(plan).map((change) => ({
    path: change.path,
    change: change.before === undefined ? 'create' : 'modify',
    mode: `0${change.mode.toString(8)}`,
    diff: diffOf(change),
    reasons: change.reasons.filter(({ line, why }) => line !== '' && why !== ''),
  }))
  const { name, choice, root, steps, proofs, notes } = plan
  const outcome = applied?.outcome ?? (files.length === 0 ? 'nothing-to-do' : 'shown')
  const result = applied?.outcome === 'nothing-to-do' ? {} : { ...applied }
  const all = { plan: name, choice, root, files, steps, proofs: proofs.map(proofText), notes, ...result, outcome }
  return `${JSON.stringify(all, null, 2)}\n`
}

const FATES = {
  restore: 'restore',
  remove: 'remove',
  keep: 'keep, because it holds a password that data or clients may still need:',
  'is-back': 'is back already:',
  changed: 'stands in the way, because it was changed since:',
  'backup-gone': 'stands in the way, because its old version is gone:',
} as const

export function undoText({ journal, files }: Undoing): string {
  if (journal === undefined) return 'Nothing to undo.\n'
  const head = `Plan ${journal.plan} of ${journal.id}:`
  const lines = files.map(({ path, does }) => `  ${FATES[does]} ${path}`)
  const steps = journal.undo.map((args) => `  run ${args.join(' ')}`)
  return `${[head, ...lines, ...steps].join('\n')}\n`
}

/** What an undo did, or why it did nothing. */
export function takenText({ done, left, failed }: TakenBack): string {
  const blocked = left.length === 0 ? [] : ['Nothing was undone: a plan is taken back whole, or not at all.']
  const partly = failed.length === 0 ? [] : ['Every file is as it was before. Look at what failed, and run it by hand.']
  const marked = [...left, ...failed].map((line) => `✗ ${line}`)
  return [...done, ...marked, ...blocked, ...partly, ''].join('\n')
}
