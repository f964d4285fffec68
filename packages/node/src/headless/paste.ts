import { CountersignError, type Page, type Presentation, type UserAgent } from '@countersign/core'
import { browsableUrl } from '../browsable-url.js'
import { loopback } from '../loopback/user-agent.js'
import { readCallbackUrl } from './callback-url.js'
import { hostFailed, otherPage } from './failures.js'
import { askLine, print } from './terminal.js'

/** How often somebody may paste what is not the answer. */
const TRIES = 10

/** What the person is asked for. */
export interface PasteNeed {
  /** The host of the MCP server, with its port if it has one. */
  readonly server: string
  /** What they open, in a browser anywhere. */
  readonly authorizationUrl: string
  /** What the address begins with that their browser ends at, usually at a page that does not load. */
  readonly redirectUri: string
  /** What was wrong with the last one. */
  readonly problem?: string
  /** Aborts when no answer is needed any more. */
  readonly signal: AbortSignal
}

/** How the person is asked. */
export interface PasteOptions {
  /**
   * Asks for the address, and is asked again with the `problem` while what it gives is not the answer. `undefined`: there is
   * nobody to ask any more. If it throws or rejects, the login ends with `browser_not_opened`. Default: asks in the terminal.
   */
  readonly ask?: (need: PasteNeed) => Promise<string | undefined>
}

/**
 * The person opens the page in a browser anywhere, and pastes the address that it ends at. The listener on loopback is there all
 * the same, for a browser on this machine or a forwarded port: whichever comes first counts.
 *
 * @throws CountersignError, as the outcome of a login: `browser_not_opened` (`ask` failed), `authorization_response_invalid` (ten
 * answers that were none), `login_timeout`
 * @example
 * ```ts
 * createConnector({ appId, userAgent: firstThatWorks(deviceCode(), paste()) })
 * ```
 */
export function paste(options: PasteOptions = {}): UserAgent {
  return { onDemand: true, begin: (request) => begin(options, request) }
}

function begin({ ask }: PasteOptions, request: Parameters<UserAgent['begin']>[0]): Presentation {
  const { url } = request
  const over = new AbortController()
  const signal = AbortSignal.any([request.signal, over.signal])
  // Opens nothing: the person does that.
  const listener = loopback({ open: () => undefined }).begin(request)
  let redirectUri = ''

  async function askUntilRight(need: Omit<PasteNeed, 'signal'>, state: string): Promise<URLSearchParams> {
    let problem: string | undefined
    for (let tries = 0; tries < TRIES; tries++) {
      const text = await asked({ ...need, signal, ...(problem !== undefined && { problem }) })
      // Nobody to ask: the answer can still come to the listener.
      if (text === undefined || signal.aborted) return new Promise(() => undefined)
      const read = readCallbackUrl(text, redirectUri, state)
      if ('parameters' in read) return read.parameters
      problem = read.problem
    }
    throw new CountersignError('authorization_response_invalid', {
      step: 'present',
      url: redirectUri,
      expected: 'the address that the sign-in ends at',
      received: `${TRIES} others`,
    })
  }

  async function asked(need: PasteNeed): Promise<string | undefined> {
    if (ask === undefined) return askInTerminal(need)
    try {
      return await ask(need)
    } catch (cause) {
      throw CountersignError.is(cause) ? cause : hostFailed(need.authorizationUrl, 'paste({ ask })', cause)
    }
  }

  return {
    async way(server) {
      if (!server.redirect) return undefined
      if (ask === undefined && process.stdin.isTTY !== true) {
        throw new CountersignError('user_agent_unsuitable', {
          step: 'present',
          url,
          expected: 'a terminal to paste into',
          received: 'none',
          hint: 'Ask the person in your own way: paste({ ask }).',
        })
      }
      const way = await listener.way(server)
      if (way?.kind === 'redirect') redirectUri = way.redirectUri
      return way
    },
    async present(page: Page) {
      if (page.kind !== 'redirect') throw otherPage(url, 'a redirect', page.kind)
      const need = { server: new URL(url).host, authorizationUrl: browsableUrl(page.authorizationUrl), redirectUri }
      try {
        return await Promise.race([listener.present(page), askUntilRight(need, page.state)])
      } finally {
        over.abort()
      }
    },
    end(outcome) {
      over.abort()
      return listener.end(outcome)
    },
  }
}

async function askInTerminal({
  server,
  authorizationUrl,
  redirectUri,
  problem,
  signal,
}: PasteNeed): Promise<string | undefined> {
  if (problem === undefined) {
    print(
      `To sign in to ${server}, open this page in a browser:\n${authorizationUrl}\n` +
        `It ends at an address that begins with ${redirectUri}, where the page may not load.\n`,
    )
  } else {
    print(`${problem}\n`)
  }
  return askLine('Paste that address here: ', signal)
}
