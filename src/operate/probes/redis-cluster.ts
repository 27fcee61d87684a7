/**
 * The nodes of a cluster: each master of the map is logged in to, because a client is sent to the addresses that the
 * nodes announce, and these are often not reachable from where the client is.
 */
import { faultOfReply, redirectIn, showAddress, slotRangesIn, type Address, type Endpoint } from '../../link/index.ts'
import { findingOf, Found } from '../findings.ts'
import type { Examination, Seen } from './examination.ts'
import { Conversation, Refusal } from './redis-conversation.ts'
import { redisFinding } from './redis-findings.ts'
import { login, type Ask } from './redis-layers.ts'

const MAX_REDIRECTS = 5

export class ClusterNodes {
  readonly #endpoint: Endpoint
  readonly #examination: Examination
  readonly #seed: Conversation
  readonly #nodes = new Map<string, Conversation>()

  constructor(seed: Conversation, endpoint: Endpoint, examination: Examination) {
    this.#seed = seed
    this.#endpoint = endpoint
    this.#examination = examination
    this.#nodes.set(showAddress(seed.address), seed)
  }

  /** Does the cluster serve every slot, and does every master answer? */
  async survey(): Promise<Seen<undefined>> {
    const info = String(await this.#seed.ask('CLUSTER', 'INFO'))
    const state = /cluster_state:(\w+)/.exec(info)?.[1] ?? 'not told'
    const slots = /cluster_slots_ok:(\d+)/.exec(info)?.[1] ?? '?'
    const seen = `state ${state}, ${slots} of 16384 slots served`
    if (state === 'fail') throw new Found(findingOf(faultOfReply('CLUSTERDOWN The cluster is down')), seen)
    const ranges = slotRangesIn(await this.#seed.ask('CLUSTER', 'SLOTS'), this.#seed.address)
    const masters = new Map(ranges.map(({ master }) => [showAddress(master), master]))
    await Promise.all([...masters.values()].map((master) => this.#reach(master)))
    return { value: undefined, detail: `${seen}, ${masters.size} masters answer` }
  }

  /** Goes where the nodes send it. */
  readonly ask: Ask = async (...args) => {
    let node = this.#seed
    for (let redirects = 0; ; redirects++) {
      try {
        return await node.ask(...args)
      } catch (error) {
        const redirect = error instanceof Refusal ? redirectIn(error.message, node.address) : undefined
        if (redirect === undefined || redirects === MAX_REDIRECTS) throw error
        node = await this.#at(redirect.address)
        if (redirect.kind === 'ASK') await node.ask('ASKING')
      }
    }
  }

  close(): void {
    for (const node of this.#nodes.values()) node.close()
  }

  /** A node that fails is told with its address. */
  async #reach(address: Address): Promise<void> {
    try {
      const node = await this.#at(address)
      await node.ask('PING')
    } catch (error) {
      const explain = redisFinding({ endpoint: this.#endpoint, address, phase: 'connect' })
      const finding = await explain(error, 0)
      throw new Found(finding, `${showAddress(address)}: ${finding.error ?? finding.meaning}`)
    }
  }

  async #at(address: Address): Promise<Conversation> {
    const known = this.#nodes.get(showAddress(address))
    if (known !== undefined) return known
    const node = new Conversation(address, this.#endpoint.tls, this.#examination.remainingMs * 0.9)
    this.#nodes.set(showAddress(address), node)
    await login(node, this.#endpoint)
    return node
  }
}
