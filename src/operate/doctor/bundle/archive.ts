/** Writes exhibits into one packed file: `evenkeel-doctor/…` in a tar, gzip around it, for its owner alone. */
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { OptionError } from '../../../errors.ts'
import { describeError } from '../../../link/index.ts'
import type { Exhibit } from './exhibits.ts'

const pack = promisify(gzip)
const FOLDER = 'evenkeel-doctor'
const OWNER_ONLY = 0o600

/**
 * Never writes over a file that is there. `at` is the time that the entries carry.
 * @throws OptionError when it cannot be written
 */
export async function writeArchive(path: string, exhibits: readonly Exhibit[], at: Date): Promise<void> {
  const bytes = await archiveOf(exhibits, at)
  try {
    await using file = await open(path, 'wx', OWNER_ONLY)
    await file.writeFile(bytes)
  } catch (error) {
    throw new OptionError(
      '--bundle',
      `Expected --bundle to name a file that can be made, got '${path}': ${describeError(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** The tar library is loaded when there is something to pack. */
async function archiveOf(exhibits: readonly Exhibit[], mtime: Date): Promise<Buffer> {
  const { packTar } = await import('modern-tar')
  const entries = exhibits.map(({ path, text }) => {
    const body = Buffer.from(text)
    return {
      header: { name: `${FOLDER}/${path}`, size: body.length, mode: OWNER_ONLY, mtime, type: 'file' as const },
      body,
    }
  })
  return await pack(await packTar(entries))
}
