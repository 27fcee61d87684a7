import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpHost } from '../../../test/support/made-up-host.ts'
import { known } from '../evidence.ts'
import { readUnit, spanMs, startCommand, unitProperties, words } from './unit.ts'

test('unitProperties() applies drop-ins in order, with the defaults of systemd below', () => {
  const properties = unitProperties([
    '[Unit]\nAfter=network.target\nRequires=docker.service\n[Service]\nRestart=always\nExecStart=/usr/bin/redis-server \\\n  /etc/redis/redis.conf\n',
    '[Unit]\nAfter=docker.service\nRequires=\nStartLimitIntervalSec=0\n[Service]\nRestartSec=2\n',
  ])
  const at = (name: string): string | undefined => properties.get(name)
  assert.deepEqual(
    [
      at('After'),
      at('Requires'),
      at('Restart'),
      at('RestartUSec'),
      at('StartLimitIntervalUSec'),
      at('StartLimitBurst'),
    ],
    ['network.target docker.service', '', 'always', '2', '0', '5'],
  )
  assert.deepEqual(words(at('ExecStart')), ['/usr/bin/redis-server', '/etc/redis/redis.conf'])
})

test('spanMs() reads what systemd writes', () => {
  const spans = ['100ms', '10s', '5', '1min 30s', '0', 'infinity', '', undefined, 'soon'].map(spanMs)
  assert.deepEqual(spans, [100, 10_000, 5000, 90_000, 0, Infinity, Number.NaN, Number.NaN, Number.NaN])
})

test('readUnit() asks systemctl where systemd runs', async () => {
  const shown =
    'LoadState=loaded\nActiveState=failed\nResult=start-limit-hit\nFragmentPath=/lib/r.service\nDropInPaths=/a.conf /b.conf\nExecStart={ path=/usr/bin/redis-server ; argv[]=/usr/bin/redis-server /etc/redis/redis.conf --daemonize no ; ignore_errors=no ; start_time=[n/a] }\n'
  const host = madeUpHost({
    files: { '/run/systemd/system/x': '' },
    programs: {
      systemctl: (args) =>
        known({ code: 0, stderr: '', stdout: args.includes('redis.service') ? shown : 'LoadState=not-found\n' }),
    },
  })
  const unit = await readUnit(host)
  assert.ok(unit.kind === 'known')
  assert.deepEqual([unit.value.name, unit.value.source], ['redis', 'systemctl'])
  assert.deepEqual(unit.value.files, ['/lib/r.service', '/a.conf', '/b.conf'])
  assert.deepEqual(startCommand(unit.value), ['/usr/bin/redis-server', '/etc/redis/redis.conf', '--daemonize', 'no'])
})

test('readUnit() reads the files where it does not, drop-ins by name, the administrator before the package', async () => {
  const host = madeUpHost({
    files: {
      '/lib/systemd/system/redis-server.service':
        '[Service]\nExecStart=-/usr/bin/redis-server /etc/redis/redis.conf\nRestart=always\n',
      '/etc/systemd/system/redis-server.service.d/20-own.conf': '[Service]\nRestart=on-failure\n',
      '/etc/systemd/system/redis-server.service.d/10-x.conf': '[Service]\nRestart=no\nRestartSec=1\n',
      '/lib/systemd/system/redis-server.service.d/20-own.conf': '[Service]\nRestart=never-read\n',
      '/etc/systemd/system/redis-server.service.d/notes.txt': 'Restart=no',
    },
  })
  const unit = await readUnit(host)
  assert.ok(unit.kind === 'known')
  assert.equal(unit.value.source, 'files')
  assert.equal(unit.value.properties.get('Restart'), 'on-failure')
  assert.equal(unit.value.properties.get('RestartUSec'), '1')
  assert.equal(startCommand(unit.value)[0], '/usr/bin/redis-server')
})

test('readUnit() says that there is none', async () => {
  const unit = await readUnit(madeUpHost())
  assert.ok(unit.kind === 'not-available' && unit.detail.includes('systemd does not run here'))
})
