/** Are the addresses of `bind` there at all? A bridge of Docker comes later at boot than Redis. */
import { sameAddress, type InterfaceAddress } from '../../../host/addresses.ts'
import type { BindAddress } from '../../../host/redis-conf.ts'
import { ok, type DoctorCheck, type Outcome } from '../../check.ts'
import type { WantedBind } from '../../evidence/host-values.ts'

export const bindMissing: DoctorCheck<'redisHere' | 'wantedBind' | 'addresses', 'nonlocalBind' | 'info'> = {
  id: 'host.bind-missing',
  layer: 'host',
  title: 'the addresses of bind against those of this machine',
  why: 'Redis 6.2 and newer does not start when one address of bind is not there, not even on the others. At boot the bridges of Docker come after Redis.',
  severity: 'fail',
  needs: ['redisHere', 'wantedBind', 'addresses'],
  wants: ['nonlocalBind', 'info'],
  explains: ['refused', 'connect-timeout', 'host-unreachable', 'network-unreachable', 'connect-denied'],
  judge: ({ wantedBind, addresses, nonlocalBind = false, info }) => {
    const missing = wantedBind.addresses.filter((bound) => isMissing(bound, addresses))
    const evidence = factsOf(wantedBind, addresses, missing)
    if (missing.length === 0) return ok('Every address of bind is there.', evidence)
    const names = missing.map(({ address }) => address).join(', ')
    const late = nonlocalBind && missing.every(({ family }) => family === 4)
    if (late) return [comesLater(names, [...evidence, 'net.ipv4.ip_nonlocal_bind 1'])]
    if (missing.every(({ optional }) => optional)) return [neverServed(names, evidence)]
    return [{ ...notStarting(names, info !== undefined), evidence }]
  },
}

function isMissing({ address, wildcard, family }: BindAddress, addresses: readonly InterfaceAddress[]): boolean {
  return !wildcard && family !== undefined && !addresses.some((own) => sameAddress(own.address, address))
}

function factsOf(
  { addresses, from }: WantedBind,
  own: readonly InterfaceAddress[],
  missing: readonly BindAddress[],
): readonly string[] {
  const bind = addresses.map(({ address, optional }) => (optional ? `-${address}` : address)).join(' ')
  const have = own.map(({ address, link }) => `${address} (${link})`).join(', ')
  return [
    `bind ${bind} (${from})`,
    ...missing.map(({ address }) => `no interface has ${address}`),
    `this machine has ${have}`,
  ]
}

function notStarting(names: string, running: boolean): Omit<Outcome, 'evidence'> {
  const summary = running
    ? `No interface has ${names}: Redis still runs on what it bound, and its next start fails.`
    : `Redis does not start: it is told to bind ${names}, which no interface has.`
  return {
    state: 'fail',
    summary,
    fix: {
      text: 'Let addresses be bound before they are there, and keep systemd trying; `evenkeel setup redis-host` plans, shows and proves it. Redis needs a password then, or it answers DENIED there.',
      commands: [
        'ip -brief addr',
        "echo 'net.ipv4.ip_nonlocal_bind = 1' | sudo tee /etc/sysctl.d/60-evenkeel-redis.conf",
        'sudo sysctl -p /etc/sysctl.d/60-evenkeel-redis.conf',
        'sudo systemctl reset-failed redis-server; sudo systemctl restart redis-server',
      ],
    },
    undo: {
      text: 'Take the setting back.',
      commands: ['sudo rm /etc/sysctl.d/60-evenkeel-redis.conf', 'sudo sysctl net.ipv4.ip_nonlocal_bind=0'],
    },
  }
}

function comesLater(names: string, evidence: readonly string[]): Outcome {
  return {
    state: 'warn',
    summary: `No interface has ${names} yet. Redis listens there all the same and serves as soon as it appears.`,
    evidence,
    fix: { text: 'Nothing, if a network with this address is still to come. If there is none, it is a slip in bind.' },
  }
}

function neverServed(names: string, evidence: readonly string[]): Outcome {
  return {
    state: 'fail',
    summary: `No interface has ${names}, which bind marks as optional: Redis starts without it, and never listens there later.`,
    evidence,
    fix: {
      text: 'Write the address without `-` and let it be bound early (`evenkeel setup redis-host`). For now, once the address is there, bind again; both keep the connections that are open.',
      commands: ['redis-cli CONFIG SET bind "<the whole list>"'],
    },
  }
}
