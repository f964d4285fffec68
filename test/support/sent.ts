import type { Fetch } from '@countersign/core'

/** A request as it left. */
export interface Sent {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string
}

/** The platform's `fetch`, and all that went through it. */
export function recordingFetch(through: Fetch = (input, init) => fetch(input, init)): {
  readonly fetch: Fetch
  readonly sent: Sent[]
} {
  const sent: Sent[] = []
  return {
    sent,
    fetch: (input, init) => {
      sent.push({
        method: init?.method ?? 'GET',
        url: new URL(input instanceof Request ? input.url : input),
        headers: new Headers(init?.headers),
        body: typeof init?.body === 'string' ? init.body : String(init?.body ?? ''),
      })
      return through(input, init)
    },
  }
}
