import { CountersignError, type UserAgent } from '@countersign/core'
import { checkRedirectUri, navigableUrl, redirectPage } from './redirect-uri.js'

/** Where the person comes back to, and how they leave. */
export interface RedirectOptions {
  /**
   * The page that the person comes back to, absolute and without fragment. It calls `completeAuthorization(location.href)`.
   * Compared character by character with what is registered (RFC 9700 section 4.1.3), and so passed on as it is given.
   */
  readonly redirectUri: string
  /**
   * Takes the person to the authorization URL. Default: `location.assign`. If it throws or rejects, the login ends with
   * `browser_not_opened`.
   */
  readonly navigate?: (url: string) => unknown
}

/**
 * The page itself goes to the authorization server, and the answer comes with another page load. `authorize()` never
 * resolves in the page that leaves.
 *
 * @throws CountersignError `options_invalid` when `redirectUri` cannot be one
 * @example
 * ```ts
 * createConnector({ appId, userAgent: redirect({ redirectUri: 'https://app.example.com/callback' }) })
 * ```
 */
export function redirect(options: RedirectOptions): UserAgent {
  const redirectUri = checkRedirectUri(options.redirectUri)
  // Looked up when it is needed: a server that renders the page has no location.
  const navigate = options.navigate ?? ((url: string) => globalThis.location.assign(url))
  return {
    onDemand: false,
    begin: ({ url }) => ({
      // A page that has left is nobody's to take over.
      way: async (server) => (server.redirect && !server.resume ? { kind: 'redirect', redirectUri } : undefined),
      present: async (page) => {
        await leave(navigableUrl(redirectPage(page, url).authorizationUrl), navigate)
        return 'parked'
      },
      end: async () => undefined,
    }),
  }
}

async function leave(url: string, navigate: (url: string) => unknown): Promise<void> {
  try {
    await navigate(url)
  } catch (cause) {
    throw new CountersignError('browser_not_opened', {
      step: 'present',
      url,
      expected: 'the page to navigate',
      received: 'an exception',
      hint: 'redirect() works in a page; anywhere else pass redirect({ navigate }), and correct it where it throws.',
      cause,
    })
  }
}
