/**
 * The shell scripts that containers start with. They hold no password: each start reads the secret file as root, and hands
 * the server a file on a tmpfs that only the server reads. The image's own entrypoint then gives up root.
 */

/** Where compose mounts the secret. */
const SECRET = '/run/secrets/redis_password'
const HEAD = `#!/bin/sh
# Written by evenkeel setup compose.
set -eu
umask 077
password=$(cat ${SECRET})
# The image of Redis calls its user redis, that of Valkey valkey.
server=$(id -un redis 2>/dev/null || id -un valkey)`

/**
 * A volume that another configuration kept with snapshots alone: Redis 7 and newer take the snapshot as the base of an
 * append-only file, an older one has to write that file itself. The manifest comes last: without it nothing has happened.
 */
const KEEP_SNAPSHOT = `# With appendonly yes and no append-only file Redis starts EMPTY, whatever the snapshot holds.
aof=/data/appendonlydir/appendonly.aof
if grep -q '^appendonly yes' /etc/redis/redis.conf && [ -e /data/dump.rdb ] &&
  [ ! -e "$aof.manifest" ] && [ ! -e /data/appendonly.aof ]; then
  case $(redis-server --version) in *v=[1-6].*)
    echo 'The volume holds a snapshot and no append-only file: this Redis would start empty, so it does not start.' >&2
    echo 'Say "appendonly no" in its configuration and start it, run redis-cli CONFIG SET appendonly yes, wait until' >&2
    echo 'redis-cli INFO persistence says aof_rewrite_in_progress:0, and say "appendonly yes" again.' >&2
    exit 1 ;;
  esac
  mkdir -p /data/appendonlydir
  cp /data/dump.rdb "$aof.1.base.rdb"
  echo 'file appendonly.aof.1.base.rdb seq 1 type b' > "$aof.manifest.new"
  chown -R "$server" /data/appendonlydir
  sync
  mv "$aof.manifest.new" "$aof.manifest"
  echo 'The snapshot of the volume has become the base of its append-only file.'
fi`

/** One Redis by itself. */
export const START_REDIS = `${HEAD}
${KEEP_SNAPSHOT}
printf 'requirepass %s\\n' "$password" > /run/redis/password.conf
chown "$server" /run/redis /run/redis/password.conf
exec docker-entrypoint.sh redis-server /etc/redis/redis.conf --include /run/redis/password.conf
`

/**
 * A node that sentinels may make master or replica. Which of both it was stands in /data/node.conf, which the sentinels
 * have Redis rewrite; everything else is read anew at each start, because the last mention of a setting wins.
 */
export const START_NODE = `${HEAD}
${KEEP_SNAPSHOT}
# masterauth on every node: a master becomes a replica, and without it stays one without a link for ever.
printf 'requirepass %s\\nmasterauth %s\\n' "$password" "$password" > /run/redis/password.conf
# Written once; from then on the sentinels decide.
if [ ! -e /data/node.conf ]; then
  echo 'include /etc/redis/redis.conf' > /data/node.conf
  [ "$NODE" = "$FIRST_MASTER" ] || echo "replicaof $FIRST_MASTER 6379" >> /data/node.conf
fi
chown "$server" /run/redis /run/redis/password.conf /data /data/node.conf
exec docker-entrypoint.sh redis-server /data/node.conf --include /etc/redis/redis.conf \\
  --include /run/redis/password.conf --replica-announce-ip "$NODE" --replica-announce-port 6379
`

/** The name under which the sentinels watch the master. */
export const MASTER = 'mymaster'

/** A sentinel rewrites its configuration, so it has a directory of its own: a file that is mounted cannot be replaced. */
export const START_SENTINEL = `${HEAD}
state=/data/sentinel.conf
[ -e "$state" ] || cp /etc/redis/sentinel.conf "$state"
# What the sentinels learned stays; the passwords are those of today.
grep -vE '^(requirepass|sentinel (auth-pass|sentinel-pass|announce-ip)) ' "$state" > "$state.new"
printf '%s %s\\n' requirepass "$password" 'sentinel sentinel-pass' "$password" \\
  'sentinel auth-pass ${MASTER}' "$password" 'sentinel announce-ip' "$NODE" >> "$state.new"
mv "$state.new" "$state"
chown "$server" /data "$state"
exec docker-entrypoint.sh redis-server "$state" --sentinel
`

/**
 * Right where \`redis-cli ping\` ends with 0 and is wrong: NOAUTH, LOADING, MISCONF, MASTERDOWN, too many clients. A frozen
 * server would keep it for ever, hence timeout. The \`$$\` is compose's way to write one \`$\`.
 */
export function healthTest(port: number): string {
  const cli = `redis-cli${port === 6379 ? '' : ` -p ${port}`}`
  return `REDISCLI_AUTH="$$(cat ${SECRET})" timeout 3 ${cli} ping | grep -qx PONG`
}

/** \`-h\`: while the database is being made, a first server answers on the socket alone. */
export function postgresHealthTest(user: string): string {
  return `pg_isready -q -h 127.0.0.1 -U ${user} -d ${user}`
}
