/** The networks of Docker and their gateways, where a Docker client can ask. */
import { known, notAvailable, type Evidence } from '../evidence.ts'
import type { Host } from '../host.ts'

export interface DockerNetwork {
  readonly name: string
  /** Such as `bridge`. */
  readonly driver: string
  /** What the host is called from within the network. */
  readonly gateways: readonly string[]
  readonly subnets: readonly string[]
}

const MAX_NETWORKS = 64

export async function readDockerNetworks(host: Host): Promise<Evidence<readonly DockerNetwork[]>> {
  const listed = await host.run('docker', ['network', 'ls', '--quiet', '--no-trunc'])
  if (listed.kind !== 'known') return listed
  const { code, stdout, stderr } = listed.value
  if (code !== 0) return notAvailable(`Docker does not answer: ${stderr.trim().split('\n')[0] ?? ''}`)
  const ids = stdout
    .split('\n')
    .filter((id) => id !== '')
    .slice(0, MAX_NETWORKS)
  if (ids.length === 0) return known([])
  const shown = await host.run('docker', ['network', 'inspect', ...ids])
  return shown.kind === 'known' ? known(networksIn(shown.value.stdout)) : shown
}

interface Inspected {
  readonly Name?: string
  readonly Driver?: string
  readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string; readonly Subnet?: string }[] | null }
}

/** What `docker network inspect` prints. */
export function networksIn(json: string): readonly DockerNetwork[] {
  const value: unknown = JSON.parse(json)
  const networks = Array.isArray(value) ? (value as Inspected[]) : []
  return networks.map(({ Name: name = '', Driver: driver = '', IPAM }) => {
    const config = IPAM?.Config ?? []
    return {
      name,
      driver,
      // Docker writes a gateway with its prefix in some versions.
      gateways: config.flatMap(({ Gateway }) => (Gateway ? [Gateway.replace(/\/\d+$/, '')] : [])),
      subnets: config.flatMap(({ Subnet }) => Subnet ?? []),
    }
  })
}
