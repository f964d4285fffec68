import type { Fetch } from '@countersign/core'

/** Longer than a page runs on after the browser has begun to leave it. */
const LEAVING_MS = 250

/**
 * A fetch that keeps a failure to itself until it is clear that the page stays. A browser that leaves a page breaks its
 * requests off, and the page hears of it while it can still send: the second try of a refresh would go out, and its answer, with
 * the only refresh token that is good from then on, would come to nobody. The timers of a page that is left do not fire, so
 * the failure comes to nobody either, and another tab takes over what was under way.
 *
 * @param send - default: the page's own, when it is called
 */
export const pageFetch =
  (send: Fetch = (input, init) => globalThis.fetch(input, init)): Fetch =>
  async (input, init) => {
    try {
      return await send(input, init)
    } catch (error) {
      if (!init?.signal?.aborted) await new Promise((resolve) => setTimeout(resolve, LEAVING_MS))
      throw error
    }
  }
