/** What happens to Redis, or to PostgreSQL, in the table of outages: each scene says how it begins and how it ends. */
import type { FaultProxy, Fault } from '../../test/support/fault-proxy.ts'
import type { PostgresServer } from '../../test/support/postgres-server.ts'
import type { RedisServer } from '../../test/support/redis-server.ts'
import {
  busyScript,
  loading,
  outOfMemory,
  passwordRequired,
  readOnly,
  snapshotFails,
  tooManyClients,
  type State,
} from '../../test/support/redis-states.ts'

export interface Stage {
  readonly redis: RedisServer
  /** Between everybody and Redis, in the scenes that are about the network. */
  readonly proxy: FaultProxy
  readonly postgres: PostgresServer
}

export interface Scene {
  readonly name: string
  readonly chinese: string
  readonly subject: 'redis' | 'database'
  readonly faultMs: number
  /** Redis is reached through the proxy. @default false */
  readonly throughProxy?: boolean
  /** The fault is there before the application. @default false */
  readonly atBoot?: boolean
  begin(stage: Stage): void | Promise<void>
  end(stage: Stage): void | Promise<void>
}

type Names = Pick<Scene, 'name' | 'chinese'>

const FAULT_MS = 3000

const named = (name: string, chinese: string): Names => ({ name, chinese })

function network(names: Names, fault: Fault): Scene {
  return {
    ...names,
    subject: 'redis',
    faultMs: FAULT_MS,
    throughProxy: true,
    begin: ({ proxy }) => proxy.set(fault),
    end: ({ proxy }) => proxy.set('pass'),
  }
}

/** A state in which the server answers with errors. `anew`: it shows to new connections only, so the old ones are cut. */
function answers(names: Names, enter: (redis: RedisServer) => Promise<State>, anew = false): Scene {
  let state: State | undefined
  return {
    ...names,
    subject: 'redis',
    faultMs: FAULT_MS,
    async begin({ redis }) {
      state = await enter(redis)
      if (anew) await redis.command('CLIENT', 'KILL', 'SKIPME', 'yes')
    },
    async end() {
      await state?.restore()
    },
  }
}

const redisScene = (names: Names, scene: Pick<Scene, 'begin' | 'end' | 'atBoot' | 'throughProxy'>): Scene => ({
  ...names,
  ...scene,
  subject: 'redis',
  faultMs: FAULT_MS,
})

const databaseScene = (names: Names, scene: Pick<Scene, 'begin' | 'end'>): Scene => ({
  ...names,
  ...scene,
  subject: 'database',
  faultMs: 5000,
})

export const SCENES: readonly Scene[] = [
  redisScene(named('killed (`kill -9`), then restarted', '被杀死（`kill -9`），之后重启'), {
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.start(),
  }),
  redisScene(named('frozen (`SIGSTOP`)', '被冻结（`SIGSTOP`）'), {
    begin: ({ redis }) => redis.freeze(),
    end: ({ redis }) => redis.thaw(),
  }),
  redisScene(named('not there when the application starts', '应用启动时还不存在'), {
    atBoot: true,
    throughProxy: true,
    begin: ({ proxy }) => proxy.set('refuse'),
    end: ({ proxy }) => proxy.set('pass'),
  }),
  network(named('the network swallows every packet', '网络吞掉所有数据包'), 'drop-all'),
  network(named('replies are lost, requests arrive', '回复丢失，请求照常到达'), 'drop-replies'),
  network(named('a proxy accepts and says nothing', '代理接受连接却一言不发'), 'silent'),
  network(named('a load balancer hangs up at once', '负载均衡器立即挂断'), 'accept-close'),
  network(named('something else answers on the port', '端口上应答的不是 Redis'), 'garbage'),
  network(named('every reply 600 ms late', '每个回复迟到 600 ms'), { latencyMs: 600 }),
  answers(named('memory full (`OOM`)', '内存已满（`OOM`）'), outOfMemory),
  answers(named('snapshots fail (`MISCONF`)', '快照失败（`MISCONF`）'), snapshotFails),
  answers(named('became a replica (`READONLY`)', '变成了副本（`READONLY`）'), readOnly),
  answers(named('loading its data (`LOADING`)', '正在加载数据（`LOADING`）'), (redis) => loading(redis)),
  answers(named('a script runs for ever (`BUSY`)', '脚本死循环（`BUSY`）'), (redis) => busyScript(redis)),
  answers(named('no connection left (`maxclients`)', '连接数用尽（`maxclients`）'), tooManyClients, true),
  answers(
    named('password changed (`NOAUTH`)', '密码被更换（`NOAUTH`）'),
    (redis) => passwordRequired(redis, 'changed'),
    true,
  ),
  databaseScene(named('PostgreSQL killed, then restarted', 'PostgreSQL 被杀死，之后重启'), {
    begin: ({ postgres }) => postgres.kill(),
    end: ({ postgres }) => postgres.start(),
  }),
  databaseScene(named('PostgreSQL frozen', 'PostgreSQL 被冻结'), {
    begin: ({ postgres }) => postgres.freeze(),
    end: ({ postgres }) => postgres.thaw(),
  }),
]
