/** What `evenkeel setup --help` says, and each part of it. */

const MODES = `  --dry-run        Show what would be done and change nothing; the default where nobody can be asked
  --apply          Do it: keep the old files beside the new ones, reload, restart, prove; put all back if it fails
  -y, --yes        The same; on a terminal setup otherwise shows its plan and asks
  --root <dir>     Set up the system below this directory, such as an image; nothing is run there
  --json           Print the plan and what became of it as JSON
  -h, --help       This text

Exit code: 0 done, shown, or nothing to do; 1 not done or not proven, and put back; 2 wrong use.
`

export const SETUP_HELP: Readonly<Record<string, string>> = {
  '': `Plans, shows, applies, proves, and takes back.

Usage: evenkeel setup <part> [options]

Parts:
  redis-host    A Redis that binds bridge addresses of Docker survives the next reboot
  compose       A compose project: dev (PostgreSQL and Redis), single, sentinel
  redis-conf    Memory, eviction and persistence by what the data is for
  env           The .env of the application, with the address at which it really reaches Redis
  undo          Takes the last plan back

evenkeel setup <part> --help tells of a part. A second run of the same command has nothing to do.

Examples:
  evenkeel setup redis-host                 Shows the change, and asks on a terminal
  sudo evenkeel setup redis-host --apply    Does it, and proves it
  evenkeel setup compose dev --apply
  sudo evenkeel setup undo --apply
`,
  'redis-host': `Makes the Redis of this host survive reboots when it binds addresses that come later, such as Docker's bridges.

Usage: evenkeel setup redis-host [options]

Reads redis.conf, the systemd unit, the version of Redis and the state of IPv6, and chooses:
  nonlocal       Redis may bind addresses that are not there yet (net.ipv4.ip_nonlocal_bind); the default
  host-address   One address of the host's own on lo, for networks that are many, late or renamed
  restart        systemd tries until the addresses are there; where sysctl is off limits

Options:
  --address <ip>           An address to serve beside those of bind; may be given several times
  --fix <fix>              nonlocal, host-address or restart
  --host-address <ip>      The address for host-address, such as 10.99.0.1
  --clients <who>          containers, host or both (default both)
  --conf <file>            redis.conf (default: what the unit names)
  --unit <name>            The systemd unit (default: redis-server.service, redis.service or that of Valkey)
  --redis-version <v>      Where redis-server cannot be asked, such as in an image
  --password-file <file>   The password that Redis has, or is to have
  --generate-password      Give Redis a password although it would start without one
${MODES}
Examples:
  evenkeel setup redis-host --dry-run
  sudo evenkeel setup redis-host --apply
  sudo evenkeel setup redis-host --address 172.30.0.1 --address 172.31.0.1 --apply
  sudo evenkeel setup redis-host --host-address 10.99.0.1 --apply
  evenkeel setup redis-host --root /mnt/image --redis-version 7.0.15 --apply
`,
  compose: `Writes a compose project with Redis in it: compose file, configuration, password in a file of its own.

Usage: evenkeel setup compose <dev|single|sentinel> [options]

  dev         PostgreSQL and Redis, reachable from this machine alone
  single      One Redis
  sentinel    A master, two replicas, three sentinels

Options:
  --directory <dir>         The project (default .)
  --role <role>             cache, queue, sessions, store or mixed (default mixed for dev, else queue)
  --memory <size>           Of each Redis; maxmemory is a share of it (default 512mb)
  --separate                A cache and a queue instead of one Redis
  --publish <port>          On 127.0.0.1 of the host (default 6379 for dev, else none)
  --image <image>           (default redis:8.2)
  --postgres-image <image>  (default postgres:17)
${MODES}
Examples:
  evenkeel setup compose dev --apply
  evenkeel setup compose single --role cache --memory 1gb --dry-run
  evenkeel setup compose single --separate --directory deploy --apply
  evenkeel setup compose sentinel --image valkey/valkey:8.1 --apply
`,
  'redis-conf': `Writes a redis.conf, or changes the lines of one, by what the data is for. Each line has its reason.

Usage: evenkeel setup redis-conf --role <role> --memory <size> [options]

Roles:
  cache       Can be loaded again: nothing on disk, the least used goes when the memory is full
  queue       Jobs: kept on disk, never thrown away
  sessions    Kept on disk; those that end soonest go first
  store       The only copy of something: kept on disk, never thrown away
  mixed       All of it in one instance, which is the second best way

Options:
  --role <role>      What the data is for
  --memory <size>    What the machine or the container gives Redis, such as 2gb
  --replicated       Redis has replicas: a master without one takes no writes
  --output <file>    (default redis.conf)
${MODES}
Examples:
  evenkeel setup redis-conf --role cache --memory 1gb
  evenkeel setup redis-conf --role queue --memory 2gb --output deploy/redis.conf --apply
  sudo evenkeel setup redis-conf --role queue --memory 4gb --output /etc/redis/redis.conf --apply
`,
  env: `Writes the .env of the application, with the address at which it really reaches Redis from where it runs.

Usage: evenkeel setup env [options]

Options:
  --redis <where>          compose or host (default: compose where there is a compose.yaml)
  --app <where>            container or host (default container)
  --directory <dir>        The compose project (default .)
  --conf <file>            redis.conf of the host (default /etc/redis/redis.conf)
  --gateway <ip>           The gateway of the application's network, where Redis binds several
  --password-file <file>   (default: what the project or redis.conf says)
  --variable <name[=db]>   A further name for the same Redis, with a database number; may be given several times
  --output <file>          (default .env)
${MODES}
Examples:
  evenkeel setup env --apply
  evenkeel setup env --app host --output .env.local --apply
  sudo evenkeel setup env --redis host --gateway 172.30.0.1 --variable MEDUSA_REDIS_URL=0 --output .env.prod
`,
  undo: `Takes the last plan back: the old files return, new ones go, services are reloaded.

Usage: evenkeel setup undo [options]

Options:
  --directory <dir>    Where setup compose, redis-conf or env wrote (default: the system, for setup redis-host)
  --force              Also where a file was changed since: what it has become is set aside beside it
${MODES}
A plan is taken back whole or not at all: a file that was changed after setup wrote it keeps all of it where it is,
and is named. Passwords that setup made are kept: volumes and clients may still need them.

Examples:
  sudo evenkeel setup undo --dry-run
  sudo evenkeel setup undo --apply
  evenkeel setup undo --directory deploy --apply
`,
}
