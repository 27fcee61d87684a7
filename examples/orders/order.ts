/** What an order is, and how it is shown to the one who placed it. */

/**
 *   pending ──begun──▶ processing ──▶ completed
 *      ▲                   │   └────▶ failed      after the last attempt
 *      └── failed once ────┘
 */
export type OrderStatus = 'pending' | 'processing' | 'completed' | 'failed'

export const ORDER_STATUSES: readonly OrderStatus[] = ['pending', 'processing', 'completed', 'failed']

/** What the customer sends. */
export interface OrderRequest {
  readonly user_id: number
  readonly energy_amount: number
  /** Such as `1h`: a number and m, h or d. */
  readonly duration: string
  /** TRON address that receives the energy. */
  readonly receive_address: string
}

export interface Order extends OrderRequest {
  /** UUIDv7: made here, sorts by time. */
  readonly id: string
  readonly status: OrderStatus
  /** Number of the attempt that was begun last; 0 before the first. */
  readonly attempt: number
  /** Why the last attempt failed. */
  readonly error: string | null
  readonly created_at: Date
  readonly completed_at: Date | null
}

/** The order in an answer. */
export function shown(order: Order): Record<string, unknown> {
  const { id, status, user_id, energy_amount, duration, receive_address, attempt, error } = order
  return {
    id,
    status,
    user_id,
    energy_amount,
    duration,
    receive_address,
    attempt,
    error,
    created_at: order.created_at.toISOString(),
    completed_at: order.completed_at?.toISOString() ?? null,
  }
}
