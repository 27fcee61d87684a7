/** What is known of the machine that Redis runs on, where that is this machine; and of the application's files beside it. */
import type { InterfaceAddress } from '../../host/addresses.ts'
import type { ComposeService } from '../../host/compose.ts'
import type { DockerNetwork } from '../../host/docker.ts'
import type { Pressure } from '../../host/proc.ts'
import type { ProcessFacts, RedisProcess } from '../../host/process.ts'
import type { BindAddress, RedisConf } from '../../host/redis-conf.ts'
import type { Listener } from '../../host/sockets.ts'
import type { ServiceUnit } from '../../host/unit.ts'
import type { LogSummary } from '../log/summary.ts'

export interface HostValues {
  /** Known only when the Redis that is asked about runs on this machine. What judges the machine needs it. */
  readonly redisHere: RedisHere
  /** `vm.overcommit_memory`: 0 guess, 1 always, 2 never. */
  readonly overcommit: number
  /** `net.core.somaxconn`. */
  readonly somaxconn: number
  /** Transparent huge pages: `always`, `madvise` or `never`. */
  readonly hugePages: string
  readonly machineMemory: MachineMemory
  readonly pressure: MachinePressure
  /** `tsc`, `xen`, `hpet` … */
  readonly clockSource: string
  /** Share of CPU time since boot that the hypervisor gave to others, 0 to 1. */
  readonly cpuSteal: number
  readonly addresses: readonly InterfaceAddress[]
  readonly listeners: readonly Listener[]
  /** May a program bind an IPv4 address that is not there (`net.ipv4.ip_nonlocal_bind`)? */
  readonly nonlocalBind: boolean
  /** Has this machine no IPv6 (`net.ipv6.conf.lo.disable_ipv6`, or a kernel without it)? */
  readonly ipv6Off: boolean
  /** redis.conf with what it includes. */
  readonly redisConf: RedisConf
  /** Where Redis is to listen. */
  readonly wantedBind: WantedBind
  readonly unit: ServiceUnit
  /** What Redis was installed from here. */
  readonly redisPackage: RedisPackage
  /** Every Redis server that runs here. */
  readonly redisProcesses: readonly RedisProcess[]
  /** The one that is asked about. */
  readonly redisProcess: ProcessFacts
  readonly dataDirectory: DataDirectory
  /** What the Redis log tells since the last start. */
  readonly redisLog: LogSummary
  /** What the kernel log says of killed Redis processes. */
  readonly kernelKills: readonly string[]
  readonly dockerNetworks: readonly DockerNetwork[]
  /** Known when there is a compose file or a `.env`: their paths. */
  readonly redisApplication: readonly string[]
  readonly composeServices: readonly ComposeService[]
  readonly envFiles: readonly EnvFile[]
}

export interface RedisHere {
  /** `process`: its very process was found. `address`: nobody answers, but the address belongs here. `told`: the user says so. */
  readonly by: 'process' | 'address' | 'told'
  /** In words. */
  readonly detail: string
}

export interface RedisPackage {
  /** Such as `redis-server`. */
  readonly name: string
  /** Of the package, such as `5:7.0.15-1~deb12u10`. */
  readonly version: string
  /** Of the server in it, such as `7.0.15`. */
  readonly upstream: string
  /** CVE numbers in its changelog. */
  readonly mended: readonly string[]
}

/** Bytes. */
export interface MachineMemory {
  readonly totalBytes: number
  readonly availableBytes: number
  readonly swapTotalBytes: number
}

export interface MachinePressure {
  readonly memory: Pressure
  readonly io: Pressure | undefined
}

export interface WantedBind {
  readonly addresses: readonly BindAddress[]
  /** 0 is off. */
  readonly port: number
  readonly tlsPort: number
  /** Where it is read: the running server, or a file. */
  readonly from: string
}

export interface DataDirectory {
  readonly path: string
  readonly uid: number
  /** Permission bits. */
  readonly mode: number
  /** NaN where `df` does not tell. */
  readonly freeBytes: number
  readonly freeInodes: number
  /** Of the snapshot and the append-only files in it. */
  readonly dataBytes: number
  /** Such as `ext4`, `nfs4`, `overlay`; undefined where it cannot be seen. */
  readonly fileSystem: string | undefined
  readonly readOnly: boolean
}

/** Variables of a file. Values are secrets as often as not: they must not get into an outcome. */
export interface EnvFile {
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
  /** Permission bits. */
  readonly mode: number
}
