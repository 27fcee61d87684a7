/** A browser as far as sessions need one: it keeps cookies, drops those that end, and may look at several servers. */

export interface Page {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
  readonly milliseconds: number
  /** The `Set-Cookie` of this answer by the names of the cookies. */
  readonly cookies: ReadonlyMap<string, string>
}

export class Browser {
  readonly jar: Map<string, string>

  constructor(jar: ReadonlyMap<string, string> = new Map()) {
    this.jar = new Map(jar)
  }

  /** Another one with the same cookies, as a thief or an old tab would have them. */
  twin(): Browser {
    return new Browser(this.jar)
  }

  async ask(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const startedAt = performance.now()
    const response = await fetch(url, { method, headers: cookie === '' ? headers : { cookie, ...headers } })
    const text = await response.text()
    const milliseconds = performance.now() - startedAt
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const body: unknown = isJson ? JSON.parse(text) : text
    const cookies = this.#keep(response.headers.getSetCookie())
    return { status: response.status, body, headers: response.headers, milliseconds, cookies }
  }

  #keep(set: readonly string[]): ReadonlyMap<string, string> {
    const seen = new Map<string, string>()
    for (const line of set) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      seen.set(name, line)
      const ends = /; Max-Age=(-?\d+)/i.exec(line)?.[1] ?? '1'
      const expires = /; Expires=([^;]+)/i.exec(line)?.[1]
      // Dates in cookies are whole seconds, so what ends within one is sent on.
      const isOver = Number(ends) <= 0 || (expires !== undefined && Date.parse(expires) === 0)
      if (isOver) this.jar.delete(name)
      else this.jar.set(name, value)
    }
    return seen
  }
}
