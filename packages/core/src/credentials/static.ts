import type { Secret } from './registered-client.js'

/** Headers by name. */
export type HeaderRecord = Readonly<Record<string, string>>

/** Headers instead of OAuth. */
export interface HeaderSource {
  /** @param rejected - the server has refused those that were given last */
  headers(rejected: boolean): Promise<HeaderRecord>
}

/** What the host gives, kept until the server refuses it. */
function kept(supply: () => Promise<HeaderRecord>): HeaderSource {
  let current: Promise<HeaderRecord> | undefined
  return {
    headers: (rejected) => {
      if (rejected || current === undefined) {
        const asked = supply()
        current = asked
        // One that failed is no answer for the next request.
        asked.catch(() => {
          if (current === asked) current = undefined
        })
      }
      return current
    },
  }
}

export const byToken = (token: Secret): HeaderSource =>
  kept(async () => ({ authorization: `Bearer ${typeof token === 'string' ? token : await token()}` }))

export const byHeaders = (headers: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>)): HeaderSource =>
  kept(async () => (typeof headers === 'function' ? headers() : headers))
