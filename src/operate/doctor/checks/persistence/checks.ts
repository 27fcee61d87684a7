/** The checks about what survives a restart. */
import type { DoctorCheck } from '../../check.ts'
import { appendOnlyDelays } from './append-only-delays.ts'
import { appendOnlyFile } from './append-only-file.ts'
import { fsyncDuringRewrite } from './fsync-during-rewrite.ts'
import { loading } from './loading.ts'
import { noneForQueue } from './none-for-queue.ts'
import { slowFork } from './slow-fork.ts'
import { snapshot } from './snapshot.ts'
import { unsavedChanges } from './unsaved-changes.ts'
import { writesDespiteFailure } from './writes-despite-failure.ts'

export const PERSISTENCE_CHECKS: readonly DoctorCheck[] = [
  loading,
  snapshot,
  appendOnlyFile,
  noneForQueue,
  writesDespiteFailure,
  fsyncDuringRewrite,
  unsavedChanges,
  slowFork,
  appendOnlyDelays,
]
