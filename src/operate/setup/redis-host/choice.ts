/**
 * Which fix suits a host. All of them were booted; what is not here was booted too, and does not work: an optional
 * `-address` alone never binds again, `Requires=docker.service` takes Redis down with Docker, and waiting loops in
 * ExecStartPre do not run under Debian's unit.
 *
 *     nonlocal      net.ipv4.ip_nonlocal_bind: Redis binds addresses that are not there yet, and serves when they come
 *     host-address  an address of the host's own on lo, there before Redis is; applications use that one
 *     restart       systemd tries until the addresses are there; localhost waits with the rest
 *     none          nothing is bound that can be missing
 */
import { OptionError } from '../../../errors.ts'
import { isEverywhere, isLoopback, plainAddress, type HostFacts, type RedisVersion } from './host-facts.ts'

export type Fix = 'nonlocal' | 'host-address' | 'restart' | 'none'
export const FIXES = ['nonlocal', 'host-address', 'restart'] as const

export interface Wishes {
  /** Addresses to serve beside those that are bound already. */
  readonly addresses: readonly string[]
  /** @default chosen by what the host is like */
  readonly fix?: Exclude<Fix, 'none'> | undefined
  /** For `host-address`; choosing one chooses that fix. */
  readonly hostAddress?: string | undefined
  /** Who uses this Redis. @default 'both' */
  readonly clients: 'containers' | 'host' | 'both'
  /** Give Redis a password though it would do without. @default false */
  readonly generatePassword: boolean
}

export interface Choice {
  readonly fix: Fix
  readonly why: string
  /** The words of `bind`, in order. */
  readonly bind: readonly string[]
  /** Addresses that must be served when all is well, localhost among them. */
  readonly wanted: readonly string[]
  readonly needsPassword: boolean
}

/** @throws OptionError when the wishes contradict each other */
export function choose(facts: HostFacts, wishes: Wishes): Choice {
  const bound = facts.conf.words('bind') ?? (facts.version.major >= 7 ? ['*', '-::*'] : ['*'])
  if (bound.some(isEverywhere)) return noNeed(bound, 'Redis listens on every address: none can be missing at a boot.')
  const foreign = unique([...bound.filter((word) => !isLoopback(word)).map(plainAddress), ...wishes.addresses])
  if (foreign.length === 0 && wishes.hostAddress === undefined)
    return noNeed(
      bound,
      'Redis listens on localhost alone, which is always there. --address adds one that containers reach.',
    )
  const fix = fixFor(wishes)
  const own = fix === 'host-address' ? [wishes.hostAddress ?? ''] : foreign
  const bind = bindWords(bound, own, facts)
  const wanted = bind.map(plainAddress).filter((address) => address !== '::1' || facts.ipv6 === true)
  return { fix, why: REASONS[fix], bind, wanted, needsPassword: needsPassword(facts, wishes) }
}

function noNeed(bind: readonly string[], why: string): Choice {
  return { fix: 'none', why, bind, wanted: [], needsPassword: false }
}

function fixFor({ fix, hostAddress }: Wishes): Exclude<Fix, 'none'> {
  if (fix === 'host-address' && hostAddress === undefined)
    throw new OptionError('--host-address', 'Expected --host-address with --fix host-address, such as 10.99.0.1.')
  if (fix !== undefined && fix !== 'host-address' && hostAddress !== undefined)
    throw new OptionError('--host-address', `Expected --host-address without --fix ${fix}.`)
  return fix ?? (hostAddress === undefined ? 'nonlocal' : 'host-address')
}

const REASONS = {
  nonlocal:
    'Redis may bind addresses that no interface has yet (net.ipv4.ip_nonlocal_bind): it starts at once, serves localhost at once, and each bridge as soon as it appears; bridges may go and come back. systemd keeps trying whatever else happens.',
  'host-address':
    'An address of the host itself stands on lo before Redis starts, so no bridge can be missing; applications use this one address.',
  restart:
    'systemd starts Redis again every 2 s, without giving up, until every address is there. Until then localhost is not served either; if one bridge never comes, Redis never starts.',
} as const

/**
 * The same words in the same order, made so that they start: nothing optional but `::1`, and that one optional where the
 * server knows how (6.2 and newer; an older one ends on any word with `-`, and skips what is missing by itself).
 */
function bindWords(bound: readonly string[], own: readonly string[], facts: HostFacts): readonly string[] {
  const loopback = bound.filter(isLoopback).map(plainAddress)
  const names = unique([...loopback.filter((address) => address !== '::1'), ...own])
  if (!loopback.includes('::1')) return names
  if (isAtLeast(facts.version, 6, 2)) return [...names, '-::1']
  return facts.ipv6 === false ? names : [...names, '::1']
}

/** 7.0 and newer refuse everybody but localhost without one, also on addresses that `bind` names. */
function needsPassword({ password, version, conf }: HostFacts, { generatePassword }: Wishes): boolean {
  if (password !== 'none') return false
  const isProtected = (conf.words('protected-mode')?.[0] ?? 'yes') !== 'no'
  return generatePassword || (isAtLeast(version, 7, 0) && isProtected)
}

function isAtLeast({ major, minor }: RedisVersion, wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)]
}
