import { test } from 'node:test'
import { assertTable, type Given } from '../../../../../test/support/doctor-table.ts'
import { appendOnlyDelays } from './append-only-delays.ts'
import { appendOnlyFile } from './append-only-file.ts'
import { fsyncDuringRewrite } from './fsync-during-rewrite.ts'
import { loading } from './loading.ts'
import { noneForQueue } from './none-for-queue.ts'
import { slowFork } from './slow-fork.ts'
import { snapshot } from './snapshot.ts'
import { unsavedChanges } from './unsaved-changes.ts'
import { writesDespiteFailure } from './writes-despite-failure.ts'

const MIB = 1024 ** 2
const QUEUE: Given = {
  purposes: { source: 'declared', uses: [{ purpose: 'queue', where: 'db0', sampled: 1, expiring: 0 }] },
}

test('persistence.snapshot', () => {
  assertTable(snapshot, [
    [{ info: { rdb_last_bgsave_status: 'ok' } }, 'ok'],
    [{ info: { rdb_last_bgsave_status: 'err' } }, 'fail'],
    [{ info: { rdb_last_bgsave_status: 'err' }, config: { dir: '/data' } }, 'fail', /dir \/data/],
    [{ info: { rdb_last_bgsave_status: 'err' }, config: { dir: '' } }, 'fail', /directory is gone/],
  ])
})

test('persistence.writes-despite-failure', () => {
  assertTable(writesDespiteFailure, [
    [{ config: { save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' } }, 'ok'],
    [{ config: { save: '3600 1', 'stop-writes-on-bgsave-error': 'no' } }, 'warn'],
    [{ config: { save: '', 'stop-writes-on-bgsave-error': 'no' } }, 'ok'],
  ])
})

test('persistence.append-only-file', () => {
  const aof = { aof_enabled: 1, aof_last_write_status: 'ok', aof_last_bgrewrite_status: 'ok' }
  assertTable(appendOnlyFile, [
    [{ info: aof }, 'ok'],
    [{ info: { ...aof, aof_last_write_status: 'err' } }, 'fail', /cannot be written/],
    [{ info: { ...aof, aof_last_bgrewrite_status: 'err' } }, 'fail', /could not be rewritten/],
    [{ info: { ...aof, aof_enabled: 0 } }, 'not-applicable'],
  ])
})

test('persistence.none-for-queue', () => {
  assertTable(noneForQueue, [
    [{ config: { appendonly: 'no', save: '' }, ...QUEUE }, 'fail', /loses all queue/],
    [{ config: { appendonly: 'no', save: '3600 1' }, ...QUEUE }, 'warn'],
    [{ config: { appendonly: 'yes', save: '' }, ...QUEUE }, 'ok'],
    [{ config: { appendonly: 'no', save: '' }, purposes: { source: 'detected', uses: [] } }, 'not-applicable'],
  ])
})

test('persistence.fsync-during-rewrite', () => {
  const config = { appendonly: 'yes', appendfsync: 'everysec', 'no-appendfsync-on-rewrite': 'no' }
  assertTable(fsyncDuringRewrite, [
    [{ config }, 'ok'],
    [{ config: { ...config, 'no-appendfsync-on-rewrite': 'yes' } }, 'warn', /During a rewrite/],
    [{ config: { ...config, appendfsync: 'no' } }, 'warn', /ever forced/],
    [{ config: { ...config, appendonly: 'no', 'no-appendfsync-on-rewrite': 'yes' } }, 'not-applicable'],
  ])
})

test('persistence.unsaved-changes knows the save points', () => {
  const after = (seconds: number, changes: number, more: Given['info'] = {}): Given => ({
    now: 1_000_000_000_000,
    config: { save: '3600 1 300 100' },
    info: { rdb_last_save_time: 1_000_000_000 - seconds, rdb_changes_since_last_save: changes, ...more },
  })
  assertTable(unsavedChanges, [
    [after(7000, 1), 'ok'],
    [after(7300, 1), 'warn', /1 changes are in no snapshot/],
    [after(7300, 0), 'ok'],
    [after(599, 100), 'ok'],
    [after(601, 100), 'warn'],
    [after(7300, 1, { aof_enabled: 1 }), 'not-applicable'],
    [{ ...after(7300, 1), config: { save: '' } }, 'not-applicable'],
  ])
})

test('persistence.slow-fork', () => {
  assertTable(slowFork, [
    [{ info: { latest_fork_usec: 500_000 } }, 'ok'],
    [{ info: { latest_fork_usec: 500_001 } }, 'warn', /500 ms/],
  ])
})

test('persistence.append-only-delays', () => {
  const aof = { aof_enabled: 1, aof_delayed_fsync: 4, aof_current_size: 100 * MIB, aof_base_size: 50 * MIB }
  assertTable(appendOnlyDelays, [
    [{ after: aof }, 'ok'],
    [{ after: aof, before: { aof_delayed_fsync: 3 } }, 'warn', /wait for the disk/],
    [{ after: { ...aof, aof_current_size: 160 * MIB } }, 'warn', /3\.2 times/],
    [{ after: { ...aof, aof_current_size: 60 * MIB, aof_base_size: MIB } }, 'ok'],
    [{ after: { aof_enabled: 0 } }, 'not-applicable'],
  ])
})

test('persistence.loading tells how long it will take', () => {
  const progress = { loading_total_bytes: 100 * MIB, loading_loaded_bytes: 40 * MIB, loading_eta_seconds: 90 }
  assertTable(loading, [
    [{ info: { loading: 0 } }, 'ok'],
    [{ info: { loading: 1, ...progress } }, 'fail', /about 90 s more[^]*40\.0 MiB of 100\.0 MiB/],
    [{ info: { loading: 0, async_loading: 1, ...progress } }, 'fail'],
  ])
})
