/** One Redis that speaks plain text and one that speaks TLS, for what is said to the wrong one. */
import { after } from 'node:test'
import { certificates, type Certificates } from '../support/certificates.ts'
import { RedisServer } from '../support/redis-server.ts'

export interface BothPorts {
  readonly plain: RedisServer
  readonly encrypted: RedisServer
  readonly papers: Certificates
}

/** For all tests of a file: they start at once, and are stopped after the last of them. */
export async function bothPortsOfFile(): Promise<BothPorts> {
  const papers = await certificates()
  const plain = await RedisServer.start()
  const encrypted = await RedisServer.start({ tls: { certificate: papers.server, ca: papers.ca } })
  after(() => Promise.all([plain.stop(), encrypted.stop()]))
  return { plain, encrypted, papers }
}
