/** Evenkeel under each of them, with its defaults; and the link alone. */
import { createEvenkeel } from 'evenkeel'
import { createLink } from 'evenkeel/link'
import { ioredis } from 'evenkeel/link/ioredis'
import { Redis } from 'ioredis'
import { OURS, type Ours } from '../../../test/outage/adapters/ours.ts'
import type { Adapter, Operation, Setting } from '../adapter.ts'

export const evenkeelUnder: readonly Adapter[] = OURS.map((ours) => ({
  under: ours.under,
  name: 'Evenkeel',
  ours: true,
  open: (setting) => open(ours, setting),
}))

async function open(ours: Ours, { port, directory }: Setting): Promise<Operation> {
  const keel = createEvenkeel({ redis: `redis://127.0.0.1:${port}`, database: { directory } })
  ours.prepare?.(keel)
  await keel.start()
  await keel.database.ready()
  return await ours.open(keel)
}

export const linkOverNodeRedis: Adapter = {
  under: 'GET',
  name: 'Evenkeel link (@redis/client)',
  ours: true,
  open: ({ port }) => linked(createLink({ port })),
}

export const linkOverIoredis: Adapter = {
  under: 'GET',
  name: 'Evenkeel link (ioredis 6)',
  ours: true,
  open: ({ port }) => linked(createLink({ port, driver: ioredis(Redis) })),
}

function linked(link: ReturnType<typeof createLink>): Operation {
  link.start()
  return () => link.send(['GET', 'key'])
}
