/** Every Redis that the files of the application name. */
import { redisUses, type RedisUse } from '../../../host/redis-variables.ts'
import type { EvidenceValues } from '../../evidence/context.ts'

export type ApplicationFiles = Partial<Pick<EvidenceValues, 'composeServices' | 'envFiles'>>

export function usesIn({ composeServices = [], envFiles = [] }: ApplicationFiles): readonly RedisUse[] {
  const variables = [
    ...envFiles.map((file) => file.variables),
    ...composeServices.map((service) => service.environment),
  ]
  return variables.flatMap((one) => redisUses(one))
}
