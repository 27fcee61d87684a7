export { createEvents } from './create-events.ts'
export type {
  EventGap,
  EventIn,
  Events,
  EventStats,
  EventSubscription,
  Published,
  PublishedVia,
  Replay,
  ReplayOptions,
  SubscribeOptions,
  TopicEvent,
} from './events.ts'
export type { EventSettings, EventsOptions } from './options.ts'
export { defineTopics, topic, topicTest } from './topics.ts'
export type {
  AnyTopics,
  Delivery,
  NamesIn,
  PayloadFor,
  PayloadOf,
  PayloadSchema,
  PayloadVerdict,
  TopicDefinition,
  TopicDefinitions,
  TopicIn,
  TopicOf,
  TopicOptions,
  TopicTest,
  ValidatePayload,
} from './topics.ts'
