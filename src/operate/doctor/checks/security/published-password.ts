/** Is the password one that stands in an example that everybody can read? */
import { createHash } from 'node:crypto'
import { ok, type DoctorCheck } from '../../check.ts'
import { rotatePassword } from '../../shell.ts'

/** Out of compose files, tutorials and redis.conf itself. */
const PUBLISHED = [
  'difyai123456',
  'foobared',
  'redis',
  'redispass',
  'redis_password',
  'redispassword',
  'password',
  'Password',
  'Passw0rd',
  'passw0rd',
  'password123',
  'mypassword',
  'my-password',
  'str0ng_passw0rd',
  'strongpassword',
  'yourpassword',
  'your_password',
  'your-password',
  'changeme',
  'change-me',
  'changeit',
  'secret',
  'admin',
  'root',
  'test',
  'guest',
  'default',
  'example',
  'bitnami',
  'docker',
  'qwerty',
  '123456',
  '12345678',
  '123456789',
  'abc123',
  'eYVX7EwVmmxKPCDmwMtyKVge8oLd2t81',
]
const HASHES = new Set(PUBLISHED.map((word) => createHash('sha256').update(word).digest('hex')))

export const publishedPassword: DoctorCheck<'config', 'users'> = {
  id: 'security.published-password',
  layer: 'security',
  title: 'passwords that stand in public examples',
  why: 'A password that everybody can look up keeps out nobody.',
  severity: 'fail',
  needs: ['config'],
  wants: ['users'],
  judge: ({ config, users = [] }) => {
    const required = config.get('requirepass') ?? ''
    const known = users.filter(
      ({ enabled, passwordHashes }) => enabled && passwordHashes.some((hash) => HASHES.has(hash)),
    )
    const names = known.map(({ name }) => name)
    if (names.length === 0 && required !== '' && PUBLISHED.includes(required)) names.push('default')
    if (names.length === 0) return ok('None of the well-known ones.', [`${PUBLISHED.length} compared, by their hashes`])
    return [
      {
        state: 'fail',
        summary: `The password of ${names.join(', ')} stands in public examples.`,
        evidence: names.map((name) => `user ${name}: one of the ${PUBLISHED.length} well-known passwords`),
        fix: {
          text: 'Change it without an outage: add the new password beside the old one, give it to the applications, then take the old one away.',
          commands: names.flatMap(rotatePassword),
        },
      },
    ]
  },
}
