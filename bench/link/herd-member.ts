/** One process of the herd: connects its clients by a strategy, and ends when all of them are connected. */
import { connect } from 'node:net'
import { createLink } from 'evenkeel/link'
import type { HerdOrder } from './herd.ts'

process.on('message', (order: HerdOrder) => void run(order))
process.send?.('ready')

async function run({ strategy, port, clients }: HerdOrder): Promise<void> {
  const one = strategy === 'evenkeel link' ? linkTo : naiveTo
  await Promise.all(Array.from({ length: clients }, () => one(port)))
  process.exit(0)
}

function linkTo(port: number): Promise<void> {
  return new Promise((resolve) => {
    // One attempt at a time per process is the link's rule; a thousand processes are meant, so each link is its own endpoint.
    const link = createLink({
      host: '127.0.0.1',
      port,
      username: `member-${Math.random()}`,
      password: 'x',
      reconnectCapMs: 1800,
    })
    link.onHealth(({ state }) => {
      if (state === 'up') resolve()
    })
    link.start()
  })
}

function naiveTo(port: number): Promise<void> {
  return new Promise((resolve) => {
    let failures = 0
    const attempt = (): void => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve())
      socket.once('error', () => {
        failures += 1
        setTimeout(attempt, Math.min(failures * 200, 5000))
      })
    }
    attempt()
  })
}
