/**
 * What tasks must do on every engine, with a real Redis to be taken away.
 */
import { after, afterEach, before, suite } from 'node:test'
import { endTests } from './tasks-ends.ts'
import { leaseTests } from './tasks-leases.ts'
import { lifeTests } from './tasks-life.ts'
import { processTests } from './tasks-processes.ts'
import { redisTests } from './tasks-redis.ts'
import { TasksSubject, type TasksPlace } from './tasks-subject.ts'

export function tasksSuite(engine: string, open: () => Promise<TasksPlace>): void {
  suite(engine, () => {
    const subject = new TasksSubject(open)
    before(() => subject.open())
    afterEach(() => subject.tidy())
    after(() => subject.close())
    lifeTests(subject)
    endTests(subject)
    leaseTests(subject)
    redisTests(subject)
    processTests(subject)
  })
}
