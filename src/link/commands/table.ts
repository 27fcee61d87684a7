/**
 * Written by scripts/write-command-table.ts from what Redis 7.0.15 says about its own commands; not to be edited.
 * What each field means is told in keys.ts.
 */
import type { CommandRow } from './keys.ts'

export const COMMAND_TABLE: readonly CommandRow[] = [
  {
    kind: 'read',
    denyOom: false,
    keys: '',
    names: `
      ACL, ACL CAT, ACL DELUSER, ACL DRYRUN, ACL GENPASS, ACL GETUSER, ACL HELP, ACL LIST, ACL LOAD, ACL LOG,
      ACL SAVE, ACL SETUSER, ACL USERS, ACL WHOAMI, ASKING, AUTH, BGREWRITEAOF, BGSAVE, CLIENT, CLIENT CACHING,
      CLIENT GETNAME, CLIENT GETREDIR, CLIENT HELP, CLIENT ID, CLIENT INFO, CLIENT KILL, CLIENT LIST,
      CLIENT NO-EVICT, CLIENT PAUSE, CLIENT REPLY, CLIENT SETNAME, CLIENT TRACKING, CLIENT TRACKINGINFO,
      CLIENT UNBLOCK, CLIENT UNPAUSE, CLUSTER, CLUSTER ADDSLOTS, CLUSTER ADDSLOTSRANGE, CLUSTER BUMPEPOCH,
      CLUSTER COUNT-FAILURE-REPORTS, CLUSTER COUNTKEYSINSLOT, CLUSTER DELSLOTS, CLUSTER DELSLOTSRANGE,
      CLUSTER FAILOVER, CLUSTER FLUSHSLOTS, CLUSTER FORGET, CLUSTER GETKEYSINSLOT, CLUSTER HELP, CLUSTER INFO,
      CLUSTER KEYSLOT, CLUSTER LINKS, CLUSTER MEET, CLUSTER MYID, CLUSTER NODES, CLUSTER REPLICAS,
      CLUSTER REPLICATE, CLUSTER RESET, CLUSTER SAVECONFIG, CLUSTER SET-CONFIG-EPOCH, CLUSTER SETSLOT,
      CLUSTER SHARDS, CLUSTER SLAVES, CLUSTER SLOTS, COMMAND, COMMAND COUNT, COMMAND DOCS, COMMAND GETKEYS,
      COMMAND GETKEYSANDFLAGS, COMMAND HELP, COMMAND INFO, COMMAND LIST, CONFIG, CONFIG GET, CONFIG HELP,
      CONFIG RESETSTAT, CONFIG REWRITE, CONFIG SET, DBSIZE, DEBUG, DISCARD, ECHO, EXEC, FAILOVER, FUNCTION,
      FUNCTION DUMP, FUNCTION HELP, FUNCTION KILL, FUNCTION LIST, FUNCTION STATS, HELLO, INFO, KEYS, LASTSAVE,
      LATENCY, LATENCY DOCTOR, LATENCY GRAPH, LATENCY HELP, LATENCY HISTOGRAM, LATENCY HISTORY, LATENCY LATEST,
      LATENCY RESET, LOLWUT, MEMORY, MEMORY DOCTOR, MEMORY HELP, MEMORY MALLOC-STATS, MEMORY PURGE, MEMORY STATS,
      MODULE, MODULE HELP, MODULE LIST, MODULE LOAD, MODULE LOADEX, MODULE UNLOAD, MONITOR, MULTI, OBJECT,
      OBJECT HELP, PFSELFTEST, PING, PSUBSCRIBE, PSYNC, PUBLISH, PUBSUB, PUBSUB CHANNELS, PUBSUB HELP,
      PUBSUB NUMPAT, PUBSUB NUMSUB, PUBSUB SHARDCHANNELS, PUBSUB SHARDNUMSUB, PUNSUBSCRIBE, QUIT, RANDOMKEY,
      READONLY, READWRITE, REPLCONF, REPLICAOF, RESET, ROLE, SAVE, SCAN, SCRIPT, SCRIPT DEBUG, SCRIPT EXISTS,
      SCRIPT FLUSH, SCRIPT HELP, SCRIPT KILL, SCRIPT LOAD, SELECT, SHUTDOWN, SLAVEOF, SLOWLOG, SLOWLOG GET,
      SLOWLOG HELP, SLOWLOG LEN, SLOWLOG RESET, SUBSCRIBE, SYNC, TIME, UNSUBSCRIBE, UNWATCH, WAIT, XGROUP,
      XGROUP HELP, XINFO, XINFO HELP,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '#1',
    names: `
      SINTERCARD, ZDIFF, ZINTER, ZINTERCARD, ZUNION,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '#2',
    names: `
      EVALSHA_RO, EVAL_RO, FCALL_RO,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '1',
    names: `
      BITCOUNT, BITFIELD_RO, BITPOS, DUMP, EXPIRETIME, GEODIST, GEOHASH, GEOPOS, GEORADIUSBYMEMBER_RO, GEORADIUS_RO,
      GEOSEARCH, GET, GETBIT, GETRANGE, HEXISTS, HGET, HGETALL, HKEYS, HLEN, HMGET, HRANDFIELD, HSCAN, HSTRLEN,
      HVALS, LINDEX, LLEN, LPOS, LRANGE, PEXPIRETIME, PTTL, SCARD, SISMEMBER, SMEMBERS, SMISMEMBER, SORT_RO,
      SPUBLISH, SRANDMEMBER, SSCAN, STRLEN, SUBSTR, TTL, TYPE, XLEN, XPENDING, XRANGE, XREVRANGE, ZCARD, ZCOUNT,
      ZLEXCOUNT, ZMSCORE, ZRANDMEMBER, ZRANGE, ZRANGEBYLEX, ZRANGEBYSCORE, ZRANK, ZREVRANGE, ZREVRANGEBYLEX,
      ZREVRANGEBYSCORE, ZREVRANK, ZSCAN, ZSCORE,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '1..-1',
    names: `
      EXISTS, MGET, PFCOUNT, SDIFF, SINTER, SSUBSCRIBE, SUNION, SUNSUBSCRIBE, TOUCH, WATCH,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '1..2',
    names: `
      LCS,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '2',
    names: `
      MEMORY USAGE, OBJECT ENCODING, OBJECT FREQ, OBJECT IDLETIME, OBJECT REFCOUNT, XINFO CONSUMERS, XINFO GROUPS,
      XINFO STREAM,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: 'STREAMS@1/half',
    names: `
      XREAD,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '',
    names: `
      FLUSHALL, FLUSHDB, FUNCTION DELETE, FUNCTION FLUSH, SWAPDB,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '#1',
    names: `
      LMPOP, ZMPOP,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '#2',
    names: `
      BLMPOP, BZMPOP, EVAL, EVALSHA, FCALL,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '1 2',
    names: `
      RENAME, RENAMENX, SMOVE,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '1',
    names: `
      EXPIRE, EXPIREAT, GETDEL, GETEX, HDEL, LPOP, LREM, LTRIM, MOVE, PERSIST, PEXPIRE, PEXPIREAT, RPOP, SPOP, SREM,
      XACK, XAUTOCLAIM, XCLAIM, XDEL, XTRIM, ZPOPMAX, ZPOPMIN, ZREM, ZREMRANGEBYLEX, ZREMRANGEBYRANK,
      ZREMRANGEBYSCORE,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '1..-1',
    names: `
      DEL, UNLINK,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '1..-2',
    names: `
      BLPOP, BRPOP, BZPOPMAX, BZPOPMIN,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '2',
    names: `
      XGROUP DELCONSUMER, XGROUP DESTROY, XGROUP SETID,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: '3|KEYS@6..-1',
    names: `
      MIGRATE,
    `,
  },
  {
    kind: 'write',
    denyOom: false,
    keys: 'STREAMS@4/half',
    names: `
      XREADGROUP,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '',
    names: `
      FUNCTION LOAD, FUNCTION RESTORE,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1 #2',
    names: `
      ZDIFFSTORE, ZINTERSTORE, ZUNIONSTORE,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1 2',
    names: `
      BLMOVE, BRPOPLPUSH, COPY, GEOSEARCHSTORE, LMOVE, RPOPLPUSH, ZRANGESTORE,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1 2..-1',
    names: `
      PFMERGE, SDIFFSTORE, SINTERSTORE, SUNIONSTORE,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1 STORE@2',
    names: `
      SORT,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1 STORE@5 STOREDIST@5',
    names: `
      GEORADIUSBYMEMBER,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1 STORE@6 STOREDIST@6',
    names: `
      GEORADIUS,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1',
    names: `
      APPEND, BITFIELD, DECR, DECRBY, GEOADD, GETSET, HINCRBY, HINCRBYFLOAT, HMSET, HSET, HSETNX, INCR, INCRBY,
      INCRBYFLOAT, LINSERT, LPUSH, LPUSHX, LSET, PFADD, PSETEX, RESTORE, RESTORE-ASKING, RPUSH, RPUSHX, SADD, SET,
      SETBIT, SETEX, SETNX, SETRANGE, XADD, XSETID, ZADD, ZINCRBY,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '1..-1/2',
    names: `
      MSET, MSETNX,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '2 3..-1',
    names: `
      BITOP,
    `,
  },
  {
    kind: 'write',
    denyOom: true,
    keys: '2',
    names: `
      PFDEBUG, XGROUP CREATE, XGROUP CREATECONSUMER,
    `,
  },
]
