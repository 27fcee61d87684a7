/** Does the password travel in the clear through a public network? */
import { isIP } from 'node:net'
import { nothingToJudge, ok, type PlainCheck } from '../../check.ts'
import { isPublic } from './listeners.ts'

export const plainText: PlainCheck<'diagnosis'> = {
  id: 'security.plain-text',
  layer: 'security',
  title: 'encryption on the way to a public address',
  why: 'Without TLS everybody on the way reads the password and the data.',
  severity: 'warn',
  needs: ['diagnosis'],
  judge: ({ diagnosis }) => {
    const layer = (name: string): string => diagnosis.layers.find((each) => each.name === name)?.detail ?? ''
    const addresses = `${layer('name')} ${layer('tcp')}`
      .split(/[\s,]+/)
      .map(hostOf)
      .filter((host) => isIP(host) !== 0)
    if (addresses.length === 0) return nothingToJudge('No address was reached.')
    const outside = [...new Set(addresses)].filter(isPublic)
    if (diagnosis.layers.some(({ name }) => name === 'tls')) return ok('The connection is encrypted.')
    if (outside.length === 0) return ok('Not encrypted, and the address is not a public one.', [...new Set(addresses)])
    return [
      {
        state: 'warn',
        summary: `The way to ${outside.join(', ')} is not encrypted.`,
        evidence: [`${diagnosis.place}: no TLS`],
        fix: {
          text: 'Let the server speak TLS and write the URL as rediss://, or go through a private network or a VPN.',
        },
      },
    ]
  },
}

/** `10.0.0.5:6379` and `[::1]:6379` → the address. */
function hostOf(word: string): string {
  return word.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}
