import { offerResponse } from './hand-over.js'

/** How long a page that waits may take to answer: it may be busy, or asleep behind the popup. */
const TAKEN_MS = 2_000

/**
 * What the page at the redirect URI of `popup()` calls: hands the authorization response in its address to the page that
 * waits for it, takes it out of the address, and closes the window.
 *
 * Call it as early as the page can, and before anything that sends the address elsewhere. It needs no inline script, no
 * `eval` and no `window.opener`.
 *
 * @returns undefined once a page has taken the response; else the response, for which nobody waits any more: the page that
 * began has been closed, has given up, or never was. `completeAuthorization` brings such a login to its end, or says why not.
 * @example
 * ```ts
 * const left = await relayCallback()
 * if (left) await connector.completeAuthorization(left)
 * ```
 */
export async function relayCallback(): Promise<URLSearchParams | undefined> {
  const { search, pathname } = location
  const parameters = new URLSearchParams(search)
  // A code in the address goes where addresses go: history, referrers, a bookmark. The page keeps its place in the history.
  history.replaceState(history.state, '', pathname)
  const state = parameters.get('state')
  if (!state || !(await offerResponse(state, search, TAKEN_MS))) return parameters
  // Without effect where the person opened the page by themselves: it stays, with what the host wrote on it.
  globalThis.close()
  return undefined
}
