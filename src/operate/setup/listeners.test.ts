import assert from 'node:assert/strict'
import { test } from 'node:test'
import { known } from '../evidence.ts'
import { thisHost } from '../host.ts'
import { isListening } from './listeners.ts'

/** Rows as Linux 6.18 prints them: 172.30.0.1:6379 and [::1]:6379 listen, 127.0.0.1:6379 is a connection. */
const TABLES: Readonly<Record<string, string>> = {
  '/proc/net/tcp': `  sl  local_address rem_address   st tx_queue
   0: 01001EAC:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:18EB 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 1 1
`,
  '/proc/net/tcp6': `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 00000000:00000000
`,
}
const host = { ...thisHost(), readFile: async (path: string) => known(TABLES[path] ?? '') }

test('isListening() finds the socket of an address, and takes no connection for one', async () => {
  const listening = (address: string, port = 6379): Promise<boolean> => isListening(host, address, port)
  assert.deepEqual(
    await Promise.all([
      listening('172.30.0.1'),
      listening('::1'),
      listening('127.0.0.1'),
      listening('172.30.0.1', 6380),
    ]),
    [true, true, false, false],
  )
})
