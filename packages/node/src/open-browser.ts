import type { ChildProcess } from 'node:child_process'
import { release } from 'node:os'
import { CountersignError } from '@countersign/core'
import { browsableUrl } from './browsable-url.js'

/** An opener that fails says so at once; one that works may go on as long as the browser runs. */
const QUICK_FAILURE_MS = 1_000

/**
 * Opens `url` in the person's browser, through the package `open`, which is loaded on first use.
 *
 * Never builds a command line: the URL is one argument of one process (see `browsableUrl` for why). The process that
 * opens does not keep this one alive.
 *
 * @param url - https, or http on loopback
 * @returns once the opener has ended well, or has not failed for a second
 * @throws CountersignError `url_not_allowed`, or `browser_not_opened` where there is no browser or the opener fails
 */
export async function openBrowser(url: string): Promise<void> {
  const href = browsableUrl(url)
  if (!mayHaveBrowser(process.platform, process.env)) {
    throw notOpened(href, 'no display: none of DISPLAY, WAYLAND_DISPLAY and BROWSER is set')
  }
  let opener: ChildProcess
  try {
    const { default: open } = await import('open')
    opener = await open(href)
  } catch (cause) {
    throw notOpened(href, 'the program that opens URLs could not be started', cause)
  }
  opener.unref()
  const failure = await quickFailure(opener)
  if (failure !== undefined) throw notOpened(href, failure)
}

/**
 * Whether something could show a page. Without a display, `xdg-open` would hand the URL to a text browser that nobody
 * sees, and that may even end well.
 */
function mayHaveBrowser(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): boolean {
  if (platform === 'win32' || platform === 'darwin' || platform === 'android') return true
  // Linux inside Windows opens the browser of Windows.
  if (release().toLowerCase().includes('microsoft')) return true
  return [env.DISPLAY, env.WAYLAND_DISPLAY, env.BROWSER].some((value) => value !== undefined && value !== '')
}

/** What the opener failed with, if it fails soon. */
function quickFailure(opener: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, QUICK_FAILURE_MS)
    const settle = (failure: string | undefined): void => {
      clearTimeout(timer)
      resolve(failure)
    }
    const ended = (code: number | null, signal: string | null): void =>
      settle(code === 0 ? undefined : `the program that opens URLs ended with ${signal ?? `exit code ${code}`}`)
    // Stays for good: an error event that nobody hears ends the process.
    opener.on('error', (error: NodeJS.ErrnoException) =>
      settle(`the program that opens URLs failed: ${error.code ?? error.name}`),
    )
    if (opener.exitCode !== null || opener.signalCode !== null) ended(opener.exitCode, opener.signalCode)
    else opener.once('exit', ended)
  })
}

const notOpened = (url: string, received: string, cause?: unknown): CountersignError =>
  new CountersignError('browser_not_opened', { step: 'present', url, expected: 'a browser to open', received, cause })
