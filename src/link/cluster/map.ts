/**
 * Which node of a cluster serves which slot: what CLUSTER SLOTS says, and the table that the calls look into.
 */
import type { Address, Reply } from '../driver.ts'
import { SLOTS } from '../commands/key-slot.ts'

/** Slots `first` to `last` are served by the master, and copied by the replicas. */
export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly master: Address
  readonly replicas: readonly Address[]
}

/** A node that says where a key is instead of answering: for good (`MOVED`) or for this one command (`ASK`). */
export interface Redirect {
  readonly kind: 'MOVED' | 'ASK'
  readonly slot: number
  readonly address: Address
}

/** What CLUSTER SLOTS answered; a node that does not know its own address leaves it out, then it is the one that was asked. */
export function slotRangesIn(reply: Reply, asked: Address): readonly SlotRange[] {
  return listed(reply).map((range) => {
    const [first, last, ...nodes] = listed(range)
    const [master = asked, ...replicas] = nodes.map((node) => addressIn(node, asked))
    return { first: Number(first), last: Number(last), master, replicas }
  })
}

/** The redirect in the text of an error reply: `MOVED 3999 10.0.0.7:6381`. */
export function redirectIn(text: string, from: Address): Redirect | undefined {
  const match = /^(MOVED|ASK) (\d{1,5}) (.*):(\d{1,5})$/.exec(text)
  if (match === null || Number(match[2]) >= SLOTS) return undefined
  const [, kind, slot, host = '', port] = match
  return {
    kind: kind === 'MOVED' ? 'MOVED' : 'ASK',
    slot: Number(slot),
    address: { kind: 'tcp', host: hostOr(host, from), port: Number(port) },
  }
}

/** Slot by slot, who serves it. */
export class SlotTable<Owner> {
  readonly #owners: (Owner | undefined)[] = Array.from({ length: SLOTS })

  ownerOf(slot: number): Owner | undefined {
    return this.#owners[slot]
  }

  assign(slot: number, owner: Owner): void {
    this.#owners[slot] = owner
  }

  /** Takes a whole map; slots that it does not name have no owner. */
  replace(ranges: readonly { readonly first: number; readonly last: number; readonly owner: Owner }[]): void {
    this.#owners.fill(undefined)
    for (const { first, last, owner } of ranges) this.#owners.fill(owner, first, last + 1)
  }

  clear(): void {
    this.#owners.fill(undefined)
  }

  /** How many slots each owner has; those of nobody stand under undefined. */
  counts(): ReadonlyMap<Owner | undefined, number> {
    const counts = new Map<Owner | undefined, number>()
    for (const owner of this.#owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    return counts
  }
}

function addressIn(node: Reply, asked: Address): Address {
  const [host, port, , metadata] = listed(node)
  const fields = Array.isArray(metadata) ? (metadata as readonly Reply[]).map(String) : []
  const named = fields.indexOf('hostname')
  const name = named < 0 ? undefined : fields[named + 1]
  const address = { kind: 'tcp', host: hostOr(textOf(host), asked), port: Number(port) } as const
  return name === undefined || name === '' || name === address.host ? address : { ...address, name }
}

/** Nodes say nothing, null or `?` where they do not know. */
function hostOr(host: string, asked: Address): string {
  if (host !== '' && host !== '?') return host
  return asked.kind === 'tcp' ? asked.host : '127.0.0.1'
}

function textOf(reply: Reply | undefined): string {
  return typeof reply === 'string' || Buffer.isBuffer(reply) ? reply.toString() : ''
}

function listed(reply: Reply | undefined): readonly Reply[] {
  if (!Array.isArray(reply)) throw new Error('CLUSTER SLOTS answered something else than a list')
  return reply as readonly Reply[]
}
