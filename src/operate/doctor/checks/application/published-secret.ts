/** Is a password in use that everybody knows? */
import { commandSetting } from '../../../host/compose.ts'
import { secretsIn } from '../../../host/redis-variables.ts'
import { nothingToJudge, ok, type DoctorCheck } from '../../check.ts'
import { rotatePassword } from '../../shell.ts'
import { isPublished } from './published-passwords.ts'
import type { ApplicationFiles } from './uses.ts'

export const publishedSecret: DoctorCheck<'redisApplication', 'composeServices' | 'envFiles'> = {
  id: 'application.published-secret',
  layer: 'application',
  title: 'passwords that are published',
  why: 'The default of a well-known compose file is the first thing that is tried against an open port.',
  severity: 'fail',
  needs: ['redisApplication'],
  wants: ['composeServices', 'envFiles'],
  judge: (files) => {
    const secrets = secretsOf(files)
    if (secrets.length === 0) return nothingToJudge('Neither compose files nor .env have a password.')
    const places = secrets.filter(({ secret }) => isPublished(secret)).map(({ place }) => place)
    if (places.length === 0) return ok('None of the passwords is a published one.', [`${secrets.length} looked at`])
    return [
      {
        state: 'fail',
        summary: 'A password is in use that stands in public documents.',
        evidence: [...new Set(places)],
        fix: {
          text: 'Make a new one and rotate without an outage: an ACL user may have two passwords at a time.',
          commands: rotatePassword('default'),
        },
      },
    ]
  },
}

function secretsOf({
  composeServices = [],
  envFiles = [],
}: ApplicationFiles): readonly { place: string; secret: string }[] {
  const inFiles = envFiles.flatMap(({ path, variables }) =>
    secretsIn(variables).map(({ name, secret }) => ({ place: `${path}: ${name}`, secret })),
  )
  const inServices = composeServices.flatMap((service) => {
    const at = `${service.file}: service ${service.name}`
    const environment = secretsIn(service.environment).map(({ name, secret }) => ({ place: `${at}, ${name}`, secret }))
    const password = commandSetting(service, 'requirepass')
    return password === undefined ? environment : [...environment, { place: `${at}, --requirepass`, secret: password }]
  })
  return [...inFiles, ...inServices]
}
