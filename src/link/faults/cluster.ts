/** Faults that only a Redis Cluster has. */
import type { FaultEntries } from './fault.ts'

export const CLUSTER = {
  clusterDown: {
    code: 'cluster-down',
    example: 'CLUSTERDOWN Hash slot not served',
    reaction: 'not-ready',
    executed: 'no',
    retryable: true,
    meaning: 'The cluster cannot serve this key: a part of it is down or was never assigned.',
    nextStep:
      'See `redis-cli CLUSTER INFO` and `redis-cli --cluster check HOST:PORT`; bring the missing node back, or `redis-cli --cluster fix HOST:PORT`.',
    replies: [/^CLUSTERDOWN\b/],
  },
  moved: {
    code: 'moved',
    example: 'MOVED 12182 10.0.0.7:6379',
    // About this key only: the node goes on serving the slots it has.
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'This key lives on another node of the cluster.',
    nextStep:
      'Tell the link that it speaks to a cluster. If it knows, nothing is to do: slots moved or a node failed over.',
    replies: [/^MOVED\b/],
  },
  ask: {
    code: 'ask',
    example: 'ASK 12182 10.0.0.7:6379',
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'This key is just being moved to another node of the cluster.',
    nextStep: 'Wait for the resharding to end: `redis-cli --cluster check HOST:PORT`.',
    replies: [/^ASK\b/],
  },
  tryAgain: {
    code: 'try-again',
    example: 'TRYAGAIN Multiple keys request during rehashing of slot',
    // Only the keys of the one slot that is moving are affected: the link as a whole is as good as before.
    reaction: 'none',
    executed: 'no',
    retryable: true,
    meaning: 'The keys of this command are just being moved, and only some of them have arrived.',
    nextStep:
      'Try the call again shortly. If it lasts, a resharding was left half done: `redis-cli --cluster fix HOST:PORT`.',
    replies: [/^TRYAGAIN\b/],
  },
  notCluster: {
    code: 'not-a-cluster',
    example: 'ERR This instance has cluster support disabled',
    reaction: 'misconfigured',
    executed: 'no',
    retryable: false,
    meaning: 'The link was told to speak to a cluster, but this server is none.',
    nextStep:
      'Use `redis://` instead of `redis+cluster://` in the URL, or `host` instead of `cluster` in the options. If it should be a cluster: `cluster-enabled yes` in redis.conf.',
    replies: [/^ERR This instance has cluster support disabled/i],
  },
  crossSlot: {
    code: 'cross-slot',
    example: "CROSSSLOT Keys in request don't hash to the same slot",
    reaction: 'none',
    executed: 'no',
    retryable: false,
    meaning: 'The keys of this command belong to different nodes of the cluster.',
    nextStep: 'Give keys that are used together a common hash tag, such as `{order:42}:lines` and `{order:42}:total`.',
    replies: [/^CROSSSLOT\b/],
  },
} as const satisfies FaultEntries
