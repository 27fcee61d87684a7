/** Is an IPv6 address bound on a machine without IPv6? */
import { numberIn } from '../../evidence/fields.ts'
import { ok, type DoctorCheck } from '../../check.ts'

const OPTIONAL_SINCE = 6.2

export const ipv6Off: DoctorCheck<'redisHere' | 'wantedBind' | 'ipv6Off', 'info'> = {
  id: 'host.ipv6-off',
  layer: 'host',
  title: 'IPv6 addresses of bind against the IPv6 of this machine',
  why: 'With IPv6 switched off, a plain `::1` in bind keeps Redis 6.2 and newer from starting, on the other addresses too.',
  severity: 'fail',
  needs: ['redisHere', 'wantedBind', 'ipv6Off'],
  wants: ['info'],
  explains: ['refused'],
  judge: ({ wantedBind, ipv6Off: off, info }) => {
    const plain = wantedBind.addresses.filter(({ family, optional }) => family === 6 && !optional)
    const evidence = [
      `IPv6 is ${off ? 'off' : 'on'}`,
      `bind has ${plain.length} plain IPv6 addresses (${wantedBind.from})`,
    ]
    if (!off || plain.length === 0) return ok('bind asks for no IPv6 that is not there.', evidence)
    const names = plain.map(({ address }) => address).join(', ')
    const version =
      info === undefined ? Number.NaN : numberIn(new Map([['v', shortVersion(info.get('redis_version'))]]), 'v')
    if (version < OPTIONAL_SINCE)
      return [
        { state: 'info', summary: `This machine has no IPv6, and this Redis goes on without ${names}.`, evidence },
      ]
    return [
      {
        state: 'fail',
        summary: `bind asks for ${names}, and this machine has no IPv6: Redis does not start.`,
        evidence,
        fix: {
          text: `Make it optional in ${wantedBind.from}; for Redis 6.0 and older leave it out, which does not know the sign.`,
          commands: [`sudo sed -i -E '/^bind /s/ (::1)( |$)/ -\\1\\2/' /etc/redis/redis.conf`],
        },
      },
    ]
  },
}

/** `6.0.16` → `6.0`. */
function shortVersion(version: string | undefined): string {
  return (version ?? '').split('.').slice(0, 2).join('.')
}
