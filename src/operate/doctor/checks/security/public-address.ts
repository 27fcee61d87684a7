/** Does the server listen where the whole world may knock? */
import { ok, type PlainCheck } from '../../check.ts'
import { told } from '../words.ts'
import { boundTo, isEverywhere, isPublic } from './listeners.ts'

export const publicAddress: PlainCheck<'config'> = {
  id: 'security.public-address',
  layer: 'security',
  title: 'public addresses in bind',
  why: 'An open port of Redis is found by scanners within hours; then a single weak password or a hole in the server is enough.',
  severity: 'fail',
  needs: ['config'],
  judge: ({ config }) => {
    const bound = boundTo(config)
    const outside = bound.filter(isPublic)
    const evidence = told(config, 'bind', 'port', 'tls-port')
    const fix = {
      text: 'Bind the addresses that the applications use, and close the port to the rest in the firewall. In a compose file publish it as 127.0.0.1:6379:6379, or not at all.',
      commands: ["redis-cli CONFIG SET bind '127.0.0.1 <private address> -::1'", 'redis-cli CONFIG REWRITE'],
    }
    if (outside.length > 0)
      return [{ state: 'fail', summary: `It listens on the public address ${outside.join(', ')}.`, evidence, fix }]
    if (!bound.some(isEverywhere)) return ok('It listens on no public address.', evidence)
    return [
      {
        state: 'info',
        summary:
          'It listens on every address of its machine or container; only a firewall and what the container publishes keep the world out.',
        evidence,
        fix,
      },
    ]
  },
}
