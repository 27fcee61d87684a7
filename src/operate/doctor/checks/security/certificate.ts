/** How long is the certificate still good? */
import { ok, type PlainCheck } from '../../check.ts'
import { durationText } from '../words.ts'

const DAY_MS = 86_400_000
const WARN_DAYS = 30
const FAIL_DAYS = 7

export const certificate: PlainCheck<'certificate' | 'now'> = {
  id: 'security.certificate',
  layer: 'security',
  title: 'expiry of the certificate',
  why: 'On the day it expires every client is turned away at once.',
  severity: 'fail',
  needs: ['certificate', 'now'],
  explains: ['tls-expired'],
  judge: ({ certificate: { subject, issuer, expiresAt }, now }) => {
    const days = (expiresAt - now) / DAY_MS
    const evidence = [`${subject}, signed by ${issuer}: valid until ${new Date(expiresAt).toISOString()}`]
    if (days >= WARN_DAYS) return ok(`Good for ${durationText((expiresAt - now) / 1000)}.`, evidence)
    return [
      {
        state: days < FAIL_DAYS ? 'fail' : 'warn',
        summary:
          days < 0
            ? 'The certificate has expired.'
            : `The certificate expires in ${durationText((expiresAt - now) / 1000)}.`,
        evidence,
        fix: {
          text: 'Put the new one in its place and let the server read it; connections that are open stay.',
          commands: ['redis-cli --tls CONFIG SET tls-cert-file <file> tls-key-file <file>'],
        },
      },
    ]
  },
}
