import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { ioredis } from '../../src/link/drivers/ioredis.ts'
import { nodeRedis } from '../../src/link/drivers/node-redis.ts'
import { driverSuite } from './driver-suite.ts'

driverSuite('node-redis 6', () => nodeRedis())
driverSuite('ioredis 6', () => ioredis(Redis))
driverSuite('ioredis 5', () => ioredis(Redis5))
