/**
 * The compose file as YAML, with remarks above the lines that ask for one. What services of a family have in common stands
 * once, as `x-<family>`, which compose leaves alone.
 */
import type { ComposeKind, Composition, Service } from './services.ts'

/** By the key of a service. */
const REMARKS: Readonly<Record<string, string>> = {
  tmpfs: 'The password on its way to the server; gone with the container.',
  ports: 'On this machine alone: without 127.0.0.1 Docker opens the port to the world, past most firewalls.',
  expose: 'Reached by containers of this network alone.',
  healthcheck: 'redis-cli ping alone ends with 0 on NOAUTH, LOADING, MISCONF, MASTERDOWN and too many clients.',
  mem_limit: 'maxmemory in the configuration is a share of it: change both, with evenkeel setup compose --memory.',
  stop_grace_period: 'Time to save before it is killed.',
  depends_on: 'Not service_healthy: a sentinel has to come up while the first master is dead.',
}

const POSTGRES_REMARKS: Readonly<Record<string, string>> = {
  healthcheck: 'Over TCP: while the database is being made, a first server answers on the socket alone.',
}

/** What no single line says. */
const HEADS: Readonly<Record<ComposeKind, string>> = {
  dev: 'For development: PostgreSQL and Redis on this machine.',
  single: 'Redis without a replica: when this machine is away, so is Redis.',
  sentinel:
    'Three Redis and three sentinels. All in one file they outlive a dead process and not a dead machine:\n for that, run one redis-N and one sentinel-N on each of three machines.',
}

export async function composeYaml(kind: ComposeKind, composition: Composition): Promise<string> {
  // Loaded here: no other command needs it.
  const { Document, isMap, isScalar, Pair, Scalar } = await import('yaml')
  const { services, secrets } = composition
  const families = familiesOf(services)
  const volumes = Object.values(services).flatMap((service) => namedVolumes(service))
  const document = new Document(
    {
      ...Object.fromEntries(families.map(({ name, shared }) => [`x-${name}`, shared])),
      services,
      volumes: Object.fromEntries(volumes.map((name) => [name, {}])),
      secrets: Object.fromEntries(secrets.map((name) => [name, { file: `./secrets/${name}` }])),
    },
    { aliasDuplicateObjects: false },
  )
  document.commentBefore = ` Written by evenkeel setup compose ${kind}.\n ${HEADS[kind]}`
  for (const { name, members, shared } of families) {
    const block = document.get(`x-${name}`, true)
    if (!isMap(block)) continue
    const alias = document.createAlias(block, name)
    for (const member of members) {
      const service = document.getIn(['services', member], true)
      if (!isMap(service)) continue
      for (const key of Object.keys(shared)) service.delete(key)
      service.items.unshift(new Pair(new Scalar('<<'), alias))
    }
  }
  const told = new Set<string>()
  const remarkIn = (node: unknown, remarks: Readonly<Record<string, string>>): void => {
    if (!isMap(node)) return
    for (const { key } of node.items) {
      const remark = isScalar(key) ? remarks[String(key.value)] : undefined
      // Said once: the other services are like the first.
      if (!isScalar(key) || remark === undefined || told.has(remark)) continue
      told.add(remark)
      key.commentBefore = ` ${remark}`
    }
  }
  for (const { name } of families) remarkIn(document.get(`x-${name}`, true), REMARKS)
  for (const name of Object.keys(services))
    remarkIn(document.getIn(['services', name], true), name === 'postgres' ? POSTGRES_REMARKS : REMARKS)
  return document.toString({ lineWidth: 0 })
}

interface Family {
  readonly name: string
  readonly members: readonly string[]
  readonly shared: Service
}

/** Services whose names begin alike, such as redis-1 and redis-2, with the keys that mean the same in all of them. */
function familiesOf(services: Composition['services']): readonly Family[] {
  const byName = Map.groupBy(Object.keys(services), (name) => name.split('-', 1)[0] ?? '')
  return [...byName].flatMap(([name, members]) => {
    const [first, ...others] = members.map((member) => services[member] ?? {})
    if (first === undefined || others.length === 0) return []
    const shared = Object.entries(first).filter(([key, value]) =>
      others.every((other) => JSON.stringify(other[key]) === JSON.stringify(value)),
    )
    return [{ name, members, shared: Object.fromEntries(shared) }]
  })
}

function namedVolumes({ volumes }: Service): string[] {
  const mounts = Array.isArray(volumes) ? volumes.map(String) : []
  return mounts.filter((mount) => !mount.startsWith('.')).map((mount) => mount.split(':', 1)[0] ?? '')
}
