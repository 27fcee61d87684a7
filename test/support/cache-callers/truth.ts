/** What the loads of a process find: values by key, each as small as a product or a price, and how long a load takes. */

export interface Product {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly tags: readonly string[]
}

const versions = new Map<string, number>()

/** From now on loads that begin find this version. */
export function setTruth(key: string, version: number): void {
  versions.set(key, version)
}

/** About 90 bytes of JSON. */
export function product(key: string, version = versions.get(key) ?? 1): Product {
  return { id: key, name: 'A thing of some use to somebody', version, tags: ['small', 'blue'] }
}

/** Reads at its beginning, and answers when it has taken its time: what changes in between, it has not seen. */
export function loadOf(key: string, tookMs: number): () => Promise<Product> {
  return async () => {
    const found = product(key)
    if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs))
    return found
  }
}

export function versionOf(value: unknown): number | undefined {
  return (value as Product | undefined | null)?.version
}
