export type {
  Cache,
  DeletePatternOptions,
  GetManyOptions,
  ListKeysOptions,
  Load,
  LoadContext,
  LoadOptions,
  PatternOutcome,
  ReadOptions,
  WarmOptions,
  WarmOutcome,
  WarmSource,
  WrapOptions,
  WriteOptions,
  WriteOutcome,
} from './cache.ts'
export { Caches } from './caches.ts'
export type { CachesOptions } from './caches.ts'
export { jsonCodec, textCodec } from './codec.ts'
export type { Codec } from './codec.ts'
export { createCache } from './create-cache.ts'
export type { CacheHealth, CacheState, Coherence } from './health.ts'
export type {
  AfterRestart,
  AwayOptions,
  CacheOptions,
  CacheTuning,
  CompressionOptions,
  Isolate,
  JournalOptions,
  L1Options,
  L2Options,
  LeaseOptions,
} from './options.ts'
export { PlainStore, plainStore } from './plain-store.ts'
export type { CacheSource, PlainStoreOptions } from './plain-store.ts'
export type { CacheStats } from './stats.ts'
