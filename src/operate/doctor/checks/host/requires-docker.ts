/** Is Redis tied to Docker so that it goes down with it? */
import { words } from '../../../host/unit.ts'
import { ok, type PlainCheck } from '../../check.ts'

const TIES = ['Requires', 'BindsTo', 'PartOf', 'Requisite']

export const requiresDocker: PlainCheck<'redisHere' | 'unit'> = {
  id: 'host.requires-docker',
  layer: 'host',
  title: 'no hard tie to Docker',
  why: 'With Requires= or BindsTo=docker.service Redis is not started when the first start of Docker fails, and is stopped with Docker and not started again.',
  severity: 'warn',
  needs: ['redisHere', 'unit'],
  judge: ({ unit }) => {
    const ties = TIES.filter((tie) =>
      words(unit.properties.get(tie)).some((name) => /^docker\.(service|socket)$/.test(name)),
    )
    if (ties.length === 0) return ok('Redis does not go down with Docker.', [`${unit.name}.service`])
    return [
      {
        state: 'warn',
        summary: `${unit.name}.service ${ties.map((tie) => `${tie}=docker`).join(', ')}: it goes down with Docker and stays down.`,
        evidence: [...unit.files],
        fix: {
          text: 'Drop the tie from the unit or drop-in. An order without a tie (After=) does no harm, and is no cure by itself.',
          commands: [`sudo systemctl edit ${unit.name}.service`],
        },
      },
    ]
  },
}
