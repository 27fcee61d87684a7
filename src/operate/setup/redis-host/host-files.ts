/** The files of each fix, line by line with the reason. */
import type { Reasoned } from '../plan.ts'
import type { Choice } from './choice.ts'
import type { HostFacts } from './host-facts.ts'

export const SYSCTL_FILE = '/etc/sysctl.d/60-evenkeel-redis.conf'
export const ADDRESS_UNIT = '/etc/systemd/system/evenkeel-redis-address.service'

const HEAD: Reasoned = { line: '', why: 'Written by evenkeel setup redis-host; evenkeel setup undo takes it back.' }

type Family = 'ipv4' | 'ipv6'

const NONLOCAL = { ipv4: 'net.ipv4.ip_nonlocal_bind', ipv6: 'net.ipv6.ip_nonlocal_bind' } as const

/** IPv6 has a setting of its own, which only addresses of it want. */
function familiesOf(bind: readonly string[]): readonly Family[] {
  const hasIpv6Bridge = bind.some((word) => word.includes(':') && !/^-?::1$/.test(word))
  return hasIpv6Bridge ? ['ipv4', 'ipv6'] : ['ipv4']
}

export function sysctlLines({ bind }: Choice): readonly Reasoned[] {
  const why = {
    ipv4: 'A program may bind an address that no interface has yet: Redis starts before the bridges of Docker, and each bridge is served as soon as it appears. The price: a wrong address in bind no longer stops Redis.',
    ipv6: 'IPv6 has a setting of its own.',
  }
  return [HEAD, ...familiesOf(bind).map((family) => ({ line: `${NONLOCAL[family]} = 1`, why: why[family] }))]
}

/** The live values: the file goes by itself. */
export function undoOfKernel({ bind, nonlocalBind }: Pick<Choice, 'bind'> & Pick<HostFacts, 'nonlocalBind'>): string[] {
  return ['sysctl', '-w', ...familiesOf(bind).map((family) => `${NONLOCAL[family]}=${nonlocalBind[family] ?? '0'}`)]
}

/** Its name sorts behind `override.conf`: of two drop-ins the last one wins. */
export function dropIn(fix: Choice['fix']): readonly Reasoned[] {
  const unit = 'evenkeel-redis-address.service'
  const address = [
    { line: `Wants=${unit}`, why: 'The address that Redis binds stands first.' },
    { line: `After=${unit}`, why: '' },
  ]
  return [
    HEAD,
    { line: '[Unit]', why: '' },
    {
      line: 'StartLimitIntervalSec=0',
      why: "Never give up. The default, five starts in 10 s, is used up in 1.25 s with Debian's unit; bridges take longer.",
    },
    ...(fix === 'host-address' ? address : []),
    { line: '', why: '' },
    { line: '[Service]', why: '' },
    {
      line: 'Restart=always',
      why: 'Whatever ended it; on-failure would leave a Redis stopped that was told to shut down.',
    },
    { line: 'RestartSec=2', why: 'Often enough to be there soon, rarely enough for a log that can be read.' },
  ]
}

export function addressUnit({ wanted }: Choice, redisUnit: string): readonly Reasoned[] {
  const addresses = wanted.filter((address) => !/^(127\.|::1$)/.test(address))
  const command = (verb: string, address: string): string =>
    `/sbin/ip address ${verb} ${address}/${address.includes(':') ? 128 : 32} dev lo`
  return [
    HEAD,
    { line: '[Unit]', why: '' },
    { line: 'Description=The address of this host that Redis serves containers at', why: '' },
    { line: `Before=${redisUnit}`, why: '' },
    { line: '', why: '' },
    { line: '[Service]', why: '' },
    { line: 'Type=oneshot', why: '' },
    { line: 'RemainAfterExit=yes', why: '' },
    ...addresses.map((address, index) => ({
      line: `ExecStart=${command('replace', address)}`,
      why: index === 0 ? 'On lo, which is always there; replace does not mind that it exists.' : '',
    })),
    ...addresses.map((address) => ({ line: `ExecStop=${command('del', address)}`, why: '' })),
  ]
}
