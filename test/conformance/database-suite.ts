/**
 * What every engine of the durable side must do, in the same words and with the same values.
 */

import { after, before, suite } from 'node:test'
import { lifeTests } from './database-life.ts'
import { notificationTests } from './database-notifications.ts'
import { schemaTests } from './database-schema.ts'
import { Subject, type Place } from './database-subject.ts'
import { transactionTests } from './database-transactions.ts'
import { valueTests } from './database-values.ts'

export function databaseSuite(engine: string, open: () => Promise<Place>): void {
  suite(engine, () => {
    const subject = new Subject(open)
    before(() => subject.open())
    after(() => subject.close())
    valueTests(subject)
    transactionTests(subject)
    schemaTests(subject)
    lifeTests(subject)
    notificationTests(subject)
  })
}
