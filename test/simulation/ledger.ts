/** Every operation by its number: who asked, what he was told, and what the server really did. */
import type { Executed, LinkErrorCode } from '../../src/errors.ts'

export type OperationKind = 'read' | 'write' | 'fenced'

export interface Operation {
  readonly id: number
  readonly link: string
  readonly kind: OperationKind
  readonly issuedAt: number
  readonly deadlineMs: number
  /** Undefined while its caller waits. */
  answer: 'ok' | LinkErrorCode | undefined
  /** What the error said; undefined when there was none. */
  executed: Executed | undefined
  /** What the server did. */
  executions: number
  lastExecutedAt: number
}

export class Ledger {
  readonly operations: Operation[] = []

  open(asked: Pick<Operation, 'link' | 'kind' | 'issuedAt' | 'deadlineMs'>): Operation {
    const operation: Operation = {
      ...asked,
      id: this.operations.length,
      answer: undefined,
      executed: undefined,
      executions: 0,
      lastExecutedAt: -Infinity,
    }
    this.operations.push(operation)
    return operation
  }

  /** The key of a writing operation; the server tells its execution by it. */
  keyOf({ id }: Operation): string {
    return `operation:${id}`
  }

  executed(key: string, at: number): void {
    const operation = this.operations[Number(key.slice('operation:'.length))]
    if (operation === undefined) return
    operation.executions += 1
    operation.lastExecutedAt = at
  }
}
