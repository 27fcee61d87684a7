/** A real browser: Debian's chromium without a window, driven by puppeteer-core. */
import { launch, type Browser } from 'puppeteer-core'
import { requireProgram } from './provision.ts'

/** Ends with `close()`; its profile is a temporary one. */
export async function openChromium(): Promise<Browser> {
  const executablePath = await requireProgram('chromium')
  // Chromium refuses its own sandbox to root, whom containers run tests as.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return await launch({
    executablePath,
    headless: true,
    args: [...sandbox, '--disable-gpu', '--disable-dev-shm-usage'],
    timeout: 30_000,
  })
}
