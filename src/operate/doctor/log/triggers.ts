/** Words of which every telling line has one: what has none is not looked at any further, and most lines of a log have none. */

const TRIGGERS: readonly string[] = [
  // Troubles, as most people call them
  ...['error', 'fail', 'exception', 'warning', 'fatal', 'abort', 'crash', 'bug report', 'killed', 'kill'],
  ...["can't", 'cannot', 'could not', 'unable', 'lost', 'closed', 'missing', 'too many', 'too long', 'no space'],
  // Connections
  ...[
    'refused',
    'timeout',
    'timed out',
    'reset by peer',
    'broken pipe',
    'unreachable',
    'no route',
    'not known',
    'servname',
  ],
  ...['no such host', 'name resolution', 'econn', 'etimed', 'epipe', 'ehost', 'enet', 'enotfound', 'eai_', 'eaddr'],
  ...[
    'connect eacces',
    'connect eperm',
    'connect enoent',
    'connect emfile',
    'unhandled',
    'offline',
    'writeable',
    'no connection',
  ],
  // First words of error replies
  ...[
    'err ',
    'noauth',
    'wrongpass',
    'misconf',
    'oom',
    'loading',
    'readonly',
    'masterdown',
    'busy',
    'unkillable',
    'noreplicas',
  ],
  ...[
    'clusterdown',
    'noperm',
    'denied',
    'noproto',
    'noscript',
    'nogroup',
    'execabort',
    'unblocked',
    'nogoodslave',
    'noquorum',
  ],
  ...['idontknow', 'moved ', 'tryagain', 'crossslot', 'wrongtype', 'ioerr'],
  // Redis, systemd, queues
  ...[
    'bind:',
    'bad file',
    'overcommit',
    'huge pages',
    'backlog',
    'maxclients',
    'security attack',
    'short read',
    'unexpected end',
    'rdb',
  ],
  ...[
    'signature',
    'overcoming',
    'switch-master',
    'start request',
    'limit-hit',
    'main process',
    'out of memory',
    'signal',
  ],
  ...['eviction policy', 'stalled', 'maxretries', 'max retries', 'queuepool', 'not renew'],
  // PostgreSQL
  ...[
    'connection slots',
    'password authentication',
    'pg_hba',
    'does not exist',
    'database system',
    'terminating',
    'canceling',
  ],
  ...['read-only', 'deadlock', 'serialize', 'server closed'],
]

export function mayTell(line: string): boolean {
  const lower = line.toLowerCase()
  return TRIGGERS.some((trigger) => lower.includes(trigger))
}
