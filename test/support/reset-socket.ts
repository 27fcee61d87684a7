import type { Socket } from 'node:net'

/**
 * RST to the other side. A socket that has said goodbye (`end()`) can only be closed: libuv refuses to reset it, Node takes
 * it for reset all the same, and the process then never ends (Node 24.21 spins in its cleanup of handles).
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
