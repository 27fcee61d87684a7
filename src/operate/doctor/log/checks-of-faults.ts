/** Which checks look for the cause of a fault: where to go on from a line of a log. */

/** By the code of the fault, in the order in which causes are likely. */
export const CHECKS_OF_FAULTS: Readonly<Record<string, readonly string[]>> = {
  refused: ['host.unit-state', 'host.bind-missing', 'host.bind-listening', 'host.start-limit'],
  'socket-missing': ['host.unit-state'],
  'socket-refused': ['host.unit-state'],
  'connect-timeout': ['host.bind-listening', 'connection.served'],
  'name-not-found': ['connection.served'],
  'resolver-down': ['connection.served'],
  reset: ['host.oom-kills', 'host.unit-state'],
  'broken-pipe': ['host.oom-kills', 'host.unit-state'],
  'connection-closed': ['host.oom-kills', 'host.unit-state'],
  'snapshot-failing': ['host.disk-space', 'host.data-directory', 'host.overcommit', 'host.fork-memory'],
  'password-missing': ['security.password'],
  'wrong-password': ['security.password', 'host.conf-drift'],
  'protected-mode': ['security.protected-mode-denies'],
  loading: ['persistence.loading'],
  'read-only-replica': ['replication.two-masters', 'replication.link'],
  'master-down': ['replication.link'],
  'too-few-replicas': ['replication.min-replicas', 'replication.lag'],
  'request-quota': ['traffic.quota'],
  'aof-failing': ['host.disk-space', 'host.data-directory'],
  'out-of-memory': ['memory.headroom', 'memory.policy', 'memory.limit'],
  'max-clients': ['traffic.client-limit', 'host.open-files'],
  'no-answer': ['traffic.slow-commands', 'host.swap', 'host.pressure', 'host.huge-pages'],
}
