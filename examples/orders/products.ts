/**
 * What is for sale, read through the cache: a product's price is asked for far more often than it changes, and must never be an
 * old one for long. The database is the truth; `null` says that there is no such product, and is kept too.
 */
import type { Evenkeel } from 'evenkeel'
import type { Cache, WriteOutcome } from 'evenkeel/cache'
import type { Database, Migration } from 'evenkeel/database'

/** Energy for rent. */
export interface Product {
  readonly id: string
  /** How long it is rented for, such as `1h`. */
  readonly duration: string
  /** Price of one unit of energy in sun, the millionth of a TRX. */
  readonly sun_per_unit: number
  /** ISO time of the last change. */
  readonly updated_at: string
}

const time = 'TIMESTAMPTZ'

const migrations: readonly Migration[] = [
  {
    id: '001-products',
    sql: ({ now }) => `
      CREATE TABLE products (
        id TEXT PRIMARY KEY,
        duration TEXT NOT NULL,
        sun_per_unit BIGINT NOT NULL,
        updated_at ${time} NOT NULL
      );
      INSERT INTO products (id, duration, sun_per_unit, updated_at) VALUES
        ('energy-1h', '1h', 60, ${now}), ('energy-1d', '1d', 110, ${now}), ('energy-3d', '3d', 190, ${now})`,
  },
]

const COLUMNS = 'id, duration, sun_per_unit, updated_at'

interface Row extends Omit<Product, 'updated_at'> {
  readonly updated_at: Date
}

export class Products {
  readonly #database: Database
  readonly #call: { readonly deadlineMs: number }
  readonly #byId: Cache<Product | null>
  readonly #ids: Cache<readonly string[]>

  constructor(keel: Pick<Evenkeel, 'database' | 'cache'>, deadlineMs: number) {
    const { database } = keel
    this.#database = database
    this.#call = { deadlineMs }
    database.migrate('products', migrations)
    // While the database is away, a copy may stand in for an hour.
    const tuning = { staleIfErrorMs: 3_600_000, isolate: 'freeze' } as const
    this.#byId = keel.cache<Product | null>('products', { ...tuning, load: (id) => this.#load(id) })
    this.#ids = keel.cache<readonly string[]>('product-lists', { ...tuning, load: () => this.#loadIds() })
  }

  async get(id: string): Promise<Product | undefined> {
    return (await this.#byId.get(id)) ?? undefined
  }

  async list(): Promise<Product[]> {
    const ids = (await this.#ids.get('all')) ?? []
    const found = await this.#byId.getMany(ids)
    return [...found.values()].filter((product) => product !== null)
  }

  /** Undefined: there is no such product. `cache` says whether Redis knows of the new price yet; every reader of this process does. */
  async setPrice(
    id: string,
    sun: number,
  ): Promise<{ readonly product: Product; readonly cache: WriteOutcome } | undefined> {
    const { rows } = await this.#database.query<Row>(
      `UPDATE products SET sun_per_unit = $2, updated_at = ${this.#database.dialect.now} WHERE id = $1 RETURNING ${COLUMNS}`,
      [id, sun],
      this.#call,
    )
    const [row] = rows
    if (row === undefined) return undefined
    const product = productOf(row)
    return { product, cache: await this.#byId.set(id, product) }
  }

  async #load(id: string): Promise<Product | null> {
    const sql = `SELECT ${COLUMNS} FROM products WHERE id = $1`
    const { rows } = await this.#database.query<Row>(sql, [id], this.#call)
    return rows.map(productOf)[0] ?? null
  }

  async #loadIds(): Promise<readonly string[]> {
    const { rows } = await this.#database.query<Row>('SELECT id FROM products ORDER BY id', [], this.#call)
    return rows.map(({ id }) => id)
  }
}

function productOf({ updated_at, ...rest }: Row): Product {
  return { ...rest, updated_at: updated_at.toISOString() }
}
