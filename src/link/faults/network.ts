/** Faults between this process and the server's port: names, routes, firewalls, sockets that end. */
import type { FaultEntries } from './fault.ts'

export const NETWORK = {
  nameNotFound: {
    code: 'name-not-found',
    reaction: 'misconfigured',
    reactionOnceUp: 'down',
    executed: 'no',
    retryable: false,
    meaning: 'The host name of Redis does not exist.',
    nextStep:
      'Check the host in the Redis URL and ask the resolver of this very machine or container: `getent hosts HOST`. Under Docker Compose both services must share a network, and the host is the service name.',
    errors: ['ENOTFOUND', 'ENODATA', 'EAI_NONAME', 'EAI_NODATA'],
  },
  resolverDown: {
    code: 'resolver-down',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'The name server does not answer, so the host name of Redis cannot be resolved.',
    nextStep: 'Check DNS on this machine: `cat /etc/resolv.conf`, then `getent hosts HOST`. Redis itself may be fine.',
    errors: ['EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'ETIMEOUT'],
  },
  sentinelsAway: {
    code: 'sentinels-away',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'No Sentinel could be asked where the master is.',
    nextStep:
      'See that the Sentinels run and listen where the options say: `redis-cli -h HOST -p 26379 SENTINEL MASTERS`. What each of them answered stands in brackets. Redis itself may be fine.',
    errors: ['SENTINELS_AWAY'],
  },
  refused: {
    code: 'refused',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'The machine is there, but nothing listens on the port of Redis.',
    nextStep:
      'See whether Redis runs (`systemctl status redis-server` or `docker ps`) and where it listens (`ss -ltnp | grep redis`). If it listens on 127.0.0.1 only, set `bind` in redis.conf to the address that clients use.',
    errors: ['ECONNREFUSED'],
  },
  socketRefused: {
    code: 'socket-refused',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'The Unix socket file is there, but no Redis listens on it.',
    nextStep:
      'Redis is not running and left its file behind: `systemctl status redis-server`. If it runs, compare the path with `unixsocket` in redis.conf.',
  },
  socketMissing: {
    code: 'socket-missing',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'The Unix socket file of Redis does not exist.',
    nextStep:
      'See whether Redis runs (`systemctl status redis-server`) and compare the path with `unixsocket` in redis.conf. In a container the directory must be mounted.',
    errors: ['ENOENT'],
  },
  socketForbidden: {
    code: 'socket-forbidden',
    reaction: 'misconfigured',
    reactionOnceUp: 'down',
    executed: 'no',
    retryable: false,
    meaning: 'This process may not open the Unix socket file of Redis.',
    nextStep:
      'Set `unixsocketperm 770` in redis.conf and add the user of this process to the group of the socket (`ls -l PATH`).',
  },
  denied: {
    code: 'connect-denied',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'A firewall or sandbox on this very machine forbids the connection to Redis.',
    nextStep:
      'Look at the rules here: `nft list ruleset`, `iptables -S OUTPUT`, `ip route get ADDRESS`; under systemd also `IPAddressDeny=`.',
    errors: ['EACCES', 'EPERM'],
  },
  portsExhausted: {
    code: 'ports-exhausted',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'This machine has no free local port or address for a connection to Redis.',
    nextStep:
      'Count the connections (`ss -s`): something opens them without end. Until it is mended, widen `net.ipv4.ip_local_port_range`.',
    errors: ['EADDRNOTAVAIL', 'EADDRINUSE'],
  },
  descriptorsExhausted: {
    code: 'descriptors-exhausted',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'This process may not open more files or sockets.',
    nextStep: 'Count them (`ls /proc/PID/fd | wc -l`), raise `LimitNOFILE=` or `ulimit -n`, and look for what leaks.',
    errors: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  },
  badAddress: {
    code: 'bad-address',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'The address of Redis is not one that can be connected to.',
    nextStep: 'Check host and port in the Redis URL: `redis://user:password@host:6379/0`, or `rediss://` for TLS.',
    errors: [
      'ERR_SOCKET_BAD_PORT',
      'ERR_INVALID_URL',
      'ERR_INVALID_IP_ADDRESS',
      'EINVAL',
      'EAFNOSUPPORT',
      'EADDRFAMILY',
    ],
  },
  notRedis: {
    code: 'not-redis',
    example: 'Unknown RESP type 72 "H"',
    reaction: 'misconfigured',
    reactionOnceUp: 'down',
    executed: 'maybe',
    retryable: false,
    meaning: 'What answers on this port does not speak the Redis protocol.',
    nextStep:
      'Look at what it says: `printf "PING\\r\\n" | nc HOST PORT`. Another service has the port, or a proxy in front of Redis answers with an error page.',
    messages: [/^Unknown RESP type\b/i, /^Protocol error, got "/i],
  },
  closedAtStart: {
    code: 'closed-at-start',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'The connection was ended before Redis had answered anything on it.',
    nextStep:
      'Ask by hand: `redis-cli -h HOST -p PORT ping`. If that is cut too, add `--tls`: a port that wants TLS does this to plain text (use `rediss://`). Else Redis refuses this client and its log says why (too many clients, protected mode, a client certificate it does not trust), or a proxy has no Redis behind it.',
  },
  reset: {
    code: 'reset',
    reaction: 'down',
    executed: 'maybe',
    retryable: true,
    meaning: 'The connection was cut hard: by the server, or by something on the way.',
    nextStep:
      'Look at the end of the Redis log and at `dmesg -T | grep -i oom`. If Redis did not stop, a load balancer, NAT or firewall ends connections: compare its idle time with the heartbeat.',
    errors: ['ECONNRESET', 'ECONNABORTED'],
  },
  brokenPipe: {
    code: 'broken-pipe',
    reaction: 'down',
    executed: 'maybe',
    retryable: true,
    meaning: 'The server had closed the connection before the command was written.',
    nextStep:
      'Look at the end of the Redis log: a restart, `timeout`, `CLIENT KILL` or an output buffer limit is written there. No line there means that a proxy closed it.',
    errors: ['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_SOCKET_CLOSED'],
  },
  connectTimeout: {
    code: 'connect-timeout',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'Nothing at all came back from the address of Redis in time.',
    nextStep:
      'A firewall or security group that drops packets is the usual cause: allow this machine on the Redis port, then try `nc -vz HOST PORT`. A machine that is switched off looks the same.',
    errors: ['ETIMEDOUT', 'ConnectionTimeoutError'],
  },
  hostUnreachable: {
    code: 'host-unreachable',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'There is a route to Redis, but its machine does not answer on it.',
    nextStep:
      'See whether the machine is up (`ping HOST`) and the address is right. A container bridge that is not up yet looks the same: wait for it.',
    errors: ['EHOSTUNREACH', 'EHOSTDOWN'],
  },
  networkUnreachable: {
    code: 'network-unreachable',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'This machine has no route to the network of Redis.',
    nextStep:
      'Look at `ip route get ADDRESS` and `ip link`: an interface, bridge or VPN is down, or only IPv6 was tried where there is none.',
    errors: ['ENETUNREACH', 'ENETDOWN'],
  },
  handshakeTimeout: {
    code: 'handshake-timeout',
    reaction: 'down',
    executed: 'no',
    retryable: true,
    meaning: 'The port accepts connections, but Redis does not answer on them.',
    nextStep:
      'Redis is frozen or a proxy has no Redis behind it: `redis-cli -h HOST -p PORT ping` on the machine itself, state `T` or `D` in `ps -o stat= -C redis-server`, and the health check of the load balancer. Some hosted ports that want TLS are silent to plain text too: try `rediss://`.',
  },
  closed: {
    code: 'connection-closed',
    example: 'Socket closed unexpectedly',
    reaction: 'down',
    executed: 'maybe',
    retryable: true,
    meaning: 'The server or a proxy closed the connection without giving a reason.',
    nextStep:
      'Look at the end of the Redis log: a restart, `timeout`, `CLIENT KILL` or an output buffer limit is written there. No line there means that a proxy closed it.',
    errors: ['SocketClosedUnexpectedlyError', 'ClientClosedError', 'DisconnectsClientError'],
    messages: [/^Socket closed unexpectedly/i, /^Connection is closed/i],
  },
} as const satisfies FaultEntries
