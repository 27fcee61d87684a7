/** Reads a log of whatever length through a LogTally: streamed, line by line, in bounded memory. */
import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip, type Gunzip } from 'node:zlib'
import { OptionError } from '../../../errors.ts'
import { describeError } from '../../../link/index.ts'
import { LogTally, type LogSummary } from './summary.ts'

export interface ReadLogOptions {
  /** Of a longer file only the end is read, of a longer stream the beginning. @default 268435456 (256 MiB) */
  readonly maxBytes?: number
}

const MAX_BYTES = 268_435_456

/**
 * A file, which may be packed by gzip.
 * @throws OptionError when it cannot be read
 */
export async function readLog(path: string, { maxBytes = MAX_BYTES }: ReadLogOptions = {}): Promise<LogSummary> {
  try {
    const { size } = await stat(path)
    // The middle of a packed file cannot be read by itself.
    const packed = path.endsWith('.gz')
    const start = packed ? 0 : Math.max(0, size - maxBytes)
    const file = createReadStream(path, { start })
    return await readLogStream(packed ? unpacked(file) : file, path, { maxBytes, skippedBytes: start })
  } catch (error) {
    throw new OptionError(
      '--log',
      `Expected --log to name a file that can be read, got '${path}': ${describeError(error)}`,
      {
        cause: error,
      },
    )
  }
}

function unpacked(file: ReadStream): Gunzip {
  const gunzip = createGunzip()
  file.on('error', (error) => gunzip.destroy(error))
  return file.pipe(gunzip)
}

interface StreamOptions extends ReadLogOptions {
  /** What of the log came before the stream; then it begins within a line. @default 0 */
  readonly skippedBytes?: number
}

/** `name` is what the summary calls it. */
export async function readLogStream(
  stream: AsyncIterable<Buffer>,
  name: string,
  { maxBytes = MAX_BYTES, skippedBytes = 0 }: StreamOptions = {},
): Promise<LogSummary> {
  const tally = new LogTally(name)
  const lines = new Lines(skippedBytes > 0)
  let read = 0
  for await (const chunk of stream) {
    for (const line of lines.take(chunk.subarray(0, maxBytes - read).toString('latin1'))) tally.add(utf8(line))
    read += chunk.length
    if (read >= maxBytes) break
  }
  for (const line of lines.rest()) tally.add(utf8(line))
  return tally.summary(skippedBytes)
}

/** Chunks are cut anywhere, also within a letter, so that lines are put together as bytes. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

const MAX_LINE = 16_384

/** Puts lines together out of chunks; of a line without end it keeps the beginning. */
class Lines {
  #open = ''
  /** The beginning of the first line is not there. */
  #within: boolean

  constructor(within: boolean) {
    this.#within = within
  }

  *take(chunk: string): Generator<string> {
    let from = 0
    for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', from)) {
      const line = this.#open + chunk.slice(from, at)
      this.#open = ''
      from = at + 1
      if (this.#within) this.#within = false
      else yield line.endsWith('\r') ? line.slice(0, -1) : line
    }
    if (this.#open.length < MAX_LINE) this.#open += chunk.slice(from, from + MAX_LINE)
  }

  *rest(): Generator<string> {
    if (this.#open !== '' && !this.#within) yield this.#open
    this.#open = ''
  }
}
