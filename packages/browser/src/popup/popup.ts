import { CountersignError, type ErrorCode, type UserAgent } from '@countersign/core'
import { checkRedirectUri, navigableUrl, redirectPage } from '../redirect-uri.js'
import { whenClosed } from './closed.js'
import { awaitResponse } from './hand-over.js'

/** Where the answer comes, and how the popup looks. */
export interface PopupOptions {
  /**
   * The page that calls `relayCallback()`: absolute, without fragment, and of the origin of the page that signs in. Compared
   * character by character with what is registered (RFC 9700 section 4.1.3), and so passed on as it is given.
   */
  readonly redirectUri: string
  /** What the popup shows until the authorization URL is known, of the page's own origin. Default: `about:blank`. */
  readonly waitingUrl?: string
  /** As the third argument of `window.open`, without `noopener`. Default: `popup,width=520,height=720`. */
  readonly features?: string
}

/**
 * Signs in by a popup, so that the page stays. `authorize()` must be called in the click itself, before anything is awaited:
 * browsers block what opens later.
 *
 * A blocked popup is `browser_not_opened`, a closed one `login_cancelled`, one that nobody comes back from `login_timeout`.
 * Where the authorization server or the page severs the two windows (Cross-Origin-Opener-Policy), nothing is seen of the popup
 * any more, and the answer comes all the same; that it was closed is then concluded from the person being back for 15 s.
 *
 * The popup gets no `window.opener`, so that no page in it can navigate yours. For the same reason a login that is given up
 * leaves its popup open where it is at the authorization server.
 *
 * @throws CountersignError `options_invalid` when `redirectUri` cannot be one
 * @example
 * ```ts
 * const userAgent = popup({ redirectUri: `${location.origin}/callback.html` })
 * const connector = createConnector({ appId: 'com.example.app', userAgent })
 * button.onclick = () => connector.connect(url).authorize()
 * ```
 */
export function popup(options: PopupOptions): UserAgent {
  const redirectUri = checkRedirectUri(options.redirectUri)
  const { waitingUrl = 'about:blank', features = 'popup,width=520,height=720' } = options
  return {
    onDemand: false,
    begin({ url }) {
      const { origin } = globalThis.location ?? {}
      if (origin && new URL(redirectUri).origin !== origin) {
        throw failure(
          'options_invalid',
          url,
          `a redirectUri of ${origin}, which its page hands the answer to`,
          redirectUri,
        )
      }
      const child = globalThis.open?.(waitingUrl, '_blank', features)
      // The pages to come are other people's.
      if (child) child.opener = null
      /** As long as it shows a page of ours, `closed` means what it says. */
      const window = (): Window => {
        // Not in begin(): who turns out to be signed in already needs no popup.
        if (!child) throw failure('browser_not_opened', url, 'a popup', 'one that the browser blocked', BLOCKED)
        if (child.closed) throw failure('login_cancelled', url, ANSWER, CLOSED)
        return child
      }
      let stop = (): void => undefined
      return {
        way: async (server) => (window() && server.redirect ? { kind: 'redirect', redirectUri } : undefined),
        present: async (page) => {
          const { authorizationUrl, state } = redirectPage(page, url)
          const target = navigableUrl(authorizationUrl)
          const shown = window()
          return new Promise((resolve, reject) => {
            const stopListening = awaitResponse(state, resolve)
            const stopLooking = whenClosed(shown, () => reject(failure('login_cancelled', url, ANSWER, CLOSED)))
            stop = () => {
              stopListening()
              stopLooking()
            }
            try {
              shown.location.replace(target)
            } catch {
              // No window of ours any more: the person has used it for something else.
              reject(failure('login_cancelled', url, ANSWER, 'a popup that went elsewhere'))
            }
          })
        },
        end: async () => {
          stop()
          child?.close()
        },
      }
    },
  }
}

const ANSWER = 'an answer'
const CLOSED = 'a popup that was closed'
const BLOCKED = 'Call authorize() in the click itself, before anything is awaited; or allow popups, or use redirect().'

const failure = (code: ErrorCode, url: string, expected: string, received: string, hint?: string): CountersignError =>
  new CountersignError(code, { step: 'present', url, expected, received, hint })
