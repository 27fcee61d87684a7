/** Every source, by the name of what it finds out. */
import type { EvidenceValues, Sources } from './context.ts'
import { HOST_SOURCES } from './host-sources.ts'
import { SERVER_SOURCES } from './server-sources.ts'

export const SOURCES: Sources<EvidenceValues> = { ...SERVER_SOURCES, ...HOST_SOURCES }
