/** On what and when a run took place: figures without that are hearsay. */
import { execFile } from 'node:child_process'
import { cpus, loadavg, type, release } from 'node:os'
import { promisify } from 'node:util'
import { requireProgram } from '../../test/support/provision.ts'
import type { Language } from './table.ts'

const run = promisify(execFile)

/** `Run of 2026-11-20 on 2 cores (…), Linux 6.1, Node 24.21.0, Redis 7.0.15, load average 1.10.` */
export async function circumstances(command: string, language: Language): Promise<string> {
  const { stdout } = await run(await requireProgram('redis-server'), ['--version'])
  const redis = /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown'
  const day = new Date().toISOString().slice(0, 10)
  const load = (loadavg()[0] ?? 0).toFixed(1)
  const parts = `${type()} ${release().split('-')[0]}, Node ${process.versions.node}, Redis ${redis}`
  return language === 'english'
    ? `Run of ${day}: \`${command}\` on ${cpus().length} cores, ${parts}; load average ${load} at the end.`
    : `${day} 运行：\`${command}\`，${cpus().length} 核，${parts}；结束时系统负载 ${load}。`
}
