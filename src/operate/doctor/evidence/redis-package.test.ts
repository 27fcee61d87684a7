import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpHost, type MadeUpHostOptions } from '../../../../test/support/made-up-host.ts'
import { known, notAvailable, type Evidence } from '../../evidence.ts'
import type { ProgramResult } from '../../host.ts'
import type { EvidenceContext } from './context.ts'
import { redisPackage } from './redis-package.ts'

type Programs = MadeUpHostOptions['programs']

function found(programs: Programs): ReturnType<typeof redisPackage> {
  // The machine is all that this source looks at.
  return redisPackage({ host: madeUpHost({ ...(programs && { programs }) }) } as EvidenceContext)
}

const NOT_THERE: Evidence<ProgramResult> = known({ code: 1, stdout: '', stderr: 'no packages found' })

test('redisPackage reads version and mended holes from the package of Debian', async () => {
  const changelog =
    'redis (5:7.0.15-1~deb12u10)\n  * CVE-2026-81934: x\n  * CVE-2025-46817 / CVE-2025-49844\n  * CVE-2026-81934\n'
  const programs: Programs = {
    'dpkg-query': (args) =>
      args.at(-1) === 'redis-server'
        ? known({ code: 0, stdout: 'installed 5:7.0.15-1~deb12u10', stderr: '' })
        : NOT_THERE,
    zcat: changelog,
  }
  assert.deepEqual(
    await found(programs),
    known({
      name: 'redis-server',
      version: '5:7.0.15-1~deb12u10',
      upstream: '7.0.15',
      mended: ['CVE-2026-81934', 'CVE-2025-46817', 'CVE-2025-49844'],
    }),
  )
})

test('redisPackage reads that of rpm, and takes one that was removed for none', async () => {
  const programs: Programs = {
    'dpkg-query': () => known({ code: 0, stdout: 'config-files 5:7.0.15-1', stderr: '' }),
    rpm: (args) => {
      if (args.at(-1) !== 'valkey') return NOT_THERE
      const stdout = args.includes('--changelog') ? '- fix CVE-2025-49844\n' : '8.0.6-1.el9'
      return known({ code: 0, stdout, stderr: '' })
    },
  }
  const { value } = (await found(programs)) as { value: object }
  assert.deepEqual(value, { name: 'valkey', version: '8.0.6-1.el9', upstream: '8.0.6', mended: ['CVE-2025-49844'] })
  assert.deepEqual(await found({}), notAvailable('no package of Redis is installed here'))
})
