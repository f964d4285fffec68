// How an extension reaches a person: the browser's own window for logins, which hands the answer over itself.

import { CountersignError, type UserAgent } from '@countersign/browser'

/** As much of the extension API as this needs. */
declare const chrome: {
  readonly identity: {
    getRedirectURL(): string
    launchWebAuthFlow(details: { readonly url: string; readonly interactive: true }): Promise<string | undefined>
  }
}

/** The redirect URI is `https://<id of the extension>.chromiumapp.org/`, which no page is ever loaded from. */
export const identity = (): UserAgent => ({
  onDemand: false,
  begin: ({ url }) => ({
    way: async ({ redirect, resume }) =>
      redirect && !resume ? { kind: 'redirect', redirectUri: chrome.identity.getRedirectURL() } : undefined,
    present: async (page) => {
      // No other page was offered in way().
      const target = page.kind === 'redirect' ? page.authorizationUrl : ''
      const answer = await chrome.identity
        .launchWebAuthFlow({ url: target, interactive: true })
        .catch((cause: unknown) => {
          throw new CountersignError('login_cancelled', { step: 'present', url, received: String(cause), cause })
        })
      return new URL(answer ?? chrome.identity.getRedirectURL()).searchParams
    },
    end: async () => undefined,
  }),
})
