import {
  CountersignError,
  type Page,
  type Presentation,
  type ServerWays,
  type UserAgent,
  type Way,
} from '@countersign/core'
import { browsableUrl } from '../browsable-url.js'
import { openBrowser } from '../open-browser.js'
import { candidatesFor, checkPort } from './candidates.js'
import { type Listener, listen } from './listener.js'
import { failurePage, type LoopbackPages, successPage } from './pages.js'
import { portRow } from './port-row.js'
import { redirectUri } from './redirect-uri.js'

/** How the page is shown, and where the answer is waited for. */
export interface LoopbackOptions {
  /**
   * Opens the authorization URL instead of the person's default browser. Not waited for: the response may come first.
   * If it throws or rejects, the login ends with `browser_not_opened`.
   */
  readonly open?: (url: string) => unknown
  /** Is told the authorization URL. Without `open`, no browser is opened and showing the URL is up to this. Default: none. */
  readonly onUrl?: (url: string) => void
  /** Ports to listen on, best first, instead of the install's own row. */
  readonly ports?: readonly number[]
  /** The host's own pages after a login. Default: the package's. */
  readonly pages?: LoopbackPages
}

/**
 * A browser on this machine, and a listener on loopback for what it brings back (RFC 8252 section 7.3).
 *
 * @throws CountersignError `options_invalid` when one of `ports` is not a port
 * @example
 * ```ts
 * createConnector({ appId, userAgent: loopback({ open: (url) => shell.openExternal(url) }) })
 * ```
 */
export function loopback(options: LoopbackOptions = {}): UserAgent {
  const ports = options.ports?.map((port) => checkPort('ports', port))
  return { onDemand: true, begin: (request) => begin(options, ports, request) }
}

function begin(
  options: LoopbackOptions,
  ports: readonly number[] | undefined,
  request: Parameters<UserAgent['begin']>[0],
): Presentation {
  const ended = new AbortController()
  const over = AbortSignal.any([request.signal, ended.signal])
  let listening: Promise<Listener> | undefined

  async function way(server: ServerWays): Promise<Way | undefined> {
    if (over.aborted) throw cancelled(over, request.url)
    const row = ports ?? portRow()
    const candidates = candidatesFor(server, row)
    if (candidates === undefined) return undefined
    const earlier = listening
    listening = Promise.resolve(earlier?.then(close, () => undefined)).then(() => listen(candidates))
    const listener = await listening
    // Nobody would come for it: whoever gave up may not call `end` while this is still on its way.
    over.addEventListener('abort', () => void (listener.answered || listener.close()), { once: true })
    if (over.aborted) {
      await listener.close()
      throw cancelled(over, request.url)
    }
    const { host, path } = candidates
    const alternatives =
      candidates.ephemeral && row.includes(listener.port) ? row.filter((p) => p !== listener.port) : []
    return {
      kind: 'redirect',
      redirectUri: listener.redirectUri,
      ...(alternatives.length > 0 && { alternatives: alternatives.map((port) => redirectUri({ host, port, path })) }),
    }
  }

  async function present(page: Page): Promise<URLSearchParams> {
    const listener = await listening
    if (page.kind !== 'redirect' || listener === undefined) {
      throw new CountersignError('user_agent_unsuitable', {
        step: 'present',
        url: request.url,
        expected: 'a redirect that way() has prepared',
        received: page.kind,
      })
    }
    const url = browsableUrl(page.authorizationUrl)
    if (over.aborted) throw cancelled(over, request.url)
    listener.expect(page.state)
    return new Promise((resolve, reject) => {
      over.addEventListener('abort', () => reject(cancelled(over, request.url)), { once: true })
      listener.response.then(resolve)
      if (!page.resumed) show(url, options).catch(reject)
    })
  }

  async function end(outcome: Parameters<Presentation['end']>[0]): Promise<void> {
    ended.abort()
    // A listener that could not be started was reported by way().
    const listener = await listening?.catch(() => undefined)
    if (listener === undefined) return
    try {
      if (listener.answered) await (outcome.ok ? showSuccess(listener) : showFailure(listener, outcome.error))
    } finally {
      await listener.close()
    }
  }

  const showSuccess = (listener: Listener): Promise<void> => {
    const info = { server: new URL(request.url).host, url: request.url }
    return finish(listener, 200, () => successPage(info, options.pages), successPage(info))
  }
  const showFailure = (listener: Listener, error: CountersignError): Promise<void> =>
    finish(listener, 400, () => failurePage(error, options.pages), failurePage(error))

  return { way, present, end }
}

const close = (listener: Listener): Promise<void> => listener.close()

/** The host's page, or ours where the host's cannot be made: the person sees the outcome, and the host the failure. */
async function finish(listener: Listener, status: number, custom: () => string, standard: string): Promise<void> {
  let html: unknown
  let cause: unknown
  try {
    html = custom()
  } catch (thrown) {
    cause = thrown
  }
  await listener.finish(status, typeof html === 'string' ? html : standard)
  if (typeof html === 'string') return
  throw new CountersignError('options_invalid', {
    step: 'present',
    expected: 'pages to return HTML as a string',
    received: cause === undefined ? typeof html : 'an exception',
    hint: 'Correct the function in loopback({ pages }); the standard page was shown instead.',
    cause,
  })
}

async function show(url: string, { onUrl, open }: LoopbackOptions): Promise<void> {
  try {
    onUrl?.(url)
    await open?.(url)
  } catch (cause) {
    throw new CountersignError('browser_not_opened', {
      step: 'present',
      url,
      expected: 'the host to show the URL',
      received: 'an exception',
      hint: 'Correct the function in loopback({ open }) or loopback({ onUrl }).',
      cause,
    })
  }
  if (onUrl === undefined && open === undefined) await openBrowser(url)
}

/** Why the login is over: the caller's own reason where it has one. */
const cancelled = (signal: AbortSignal, url: string): CountersignError =>
  CountersignError.is(signal.reason)
    ? signal.reason
    : new CountersignError('login_cancelled', { step: 'present', url, cause: signal.reason })
