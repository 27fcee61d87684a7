/** What whoever runs the host has to know besides: each note only where it is true. */
import { isLoopback, plainAddress, type HostFacts } from './host-facts.ts'
import type { Choice, Wishes } from './choice.ts'

/** Of the default bridge, docker0, which is what `host-gateway` stands for. */
const DOCKER0 = '172.17.0.1'
/** With more it is easier to give the host one address. */
const MANY = 4

interface Given {
  readonly facts: HostFacts
  readonly choice: Choice
  readonly wishes: Wishes
  /** Addresses that containers use. */
  readonly foreign: readonly string[]
}

interface Note {
  readonly when: (given: Given) => boolean
  readonly text: string | ((given: Given) => string)
}

const NOTES: readonly Note[] = [
  {
    when: ({ wishes }) => wishes.clients === 'containers',
    text: 'Only containers use this Redis: as a service of their compose network it needs no address of the host at all. See evenkeel setup compose single.',
  },
  {
    when: ({ choice }) => choice.needsPassword,
    text: 'Redis gets a password. From the restart on every client must send it, those on localhost too: bring it to them first. It stands in the file evenkeel-password.conf beside redis.conf; evenkeel setup env writes it into a .env.',
  },
  {
    when: ({ facts, choice }) => choice.fix !== 'none' && facts.password === 'none' && !choice.needsPassword,
    text: 'Redis has no password, and everybody who reaches the bridges may read and delete everything: bind keeps nobody out, a container reaches the bridges of other networks too. --generate-password gives it one.',
  },
  {
    when: ({ choice }) => choice.fix === 'nonlocal',
    text: 'From now on a wrong address in bind stops nothing: evenkeel doctor compares bind with the interfaces.',
  },
  {
    when: ({ choice }) => choice.fix === 'restart',
    text: 'With this fix localhost has no Redis either until the last bridge is there.',
  },
  {
    when: ({ choice }) => choice.fix === 'host-address',
    text: ({ foreign }) =>
      `Applications in containers use redis://redis.host:6379, with this line at their service:
  extra_hosts: ["redis.host:${foreign[0]}"]
Addresses of bridges that were bound before are no longer served. Guard the address with the firewall as any port of the host.`,
  },
  {
    when: ({ choice, foreign }) => choice.fix === 'nonlocal' && foreign.length > MANY,
    text: ({ foreign }) =>
      `${foreign.length} addresses are bound, and each new network brings another one. With --host-address 10.99.0.1 one of the host's own serves all.`,
  },
  {
    when: ({ choice, foreign }) => choice.fix === 'nonlocal' && foreign.length > 0 && !foreign.includes(DOCKER0),
    text: `host.docker.internal with host-gateway is ${DOCKER0}, the default bridge, which bind does not name: containers that use it are refused. Give them an address of bind, or add --address ${DOCKER0}.`,
  },
  {
    when: ({ facts, choice }) =>
      choice.fix !== 'none' && [facts.unit.file, ...facts.unit.dropIns].some(({ state }) => isAfterDocker(state.text)),
    text: 'A drop-in still says After=docker.service: localhost waits for Docker at every boot, for nothing. That line can go.',
  },
  {
    when: ({ facts, choice }) => choice.fix !== 'none' && facts.root !== '/',
    text: 'Nothing runs below a --root, so nothing is proven yet. Once it has booted: evenkeel check --wait 60s with each address.',
  },
]

export function notesOn(facts: HostFacts, choice: Choice, wishes: Wishes): readonly string[] {
  const foreign = choice.bind.map(plainAddress).filter((address) => !isLoopback(address))
  const given = { facts, choice, wishes, foreign }
  return NOTES.filter(({ when }) => when(given)).map(({ text }) => (typeof text === 'string' ? text : text(given)))
}

function isAfterDocker(text: string): boolean {
  return /^\s*After\s*=.*\bdocker\.service\b/m.test(text)
}
