import type { Page, Presentation, UserAgent, Way } from '@countersign/core'

type Outcome = Parameters<Presentation['end']>[0]

/** A user agent that tells what it was asked to do. */
export interface WatchedAgent extends UserAgent {
  /** How many logins it was asked for. */
  readonly begun: number
  readonly ways: readonly (Way | undefined)[]
  /** The pages that a person was shown. */
  readonly pages: readonly Page[]
  /** What each login was ended with, once each. */
  readonly ends: readonly Outcome[]
  /** The redirect URIs at which somebody still listens. */
  listening(): Promise<readonly string[]>
}

/** Watches over the shoulder of a user agent. */
export function watched(agent: UserAgent): WatchedAgent {
  const ways: (Way | undefined)[] = []
  const pages: Page[] = []
  const ends: Outcome[] = []
  let begun = 0
  return {
    onDemand: agent.onDemand,
    begin(request) {
      begun++
      const presentation = agent.begin(request)
      return {
        async way(server) {
          const way = await presentation.way(server)
          ways.push(way)
          return way
        },
        present(page) {
          pages.push(page)
          return presentation.present(page)
        },
        end(outcome) {
          ends.push(outcome)
          return presentation.end(outcome)
        },
      }
    },
    get begun() {
      return begun
    },
    ways,
    pages,
    ends,
    async listening() {
      const uris = ways.flatMap((way) => (way?.kind === 'redirect' ? [way.redirectUri] : []))
      const open = await Promise.all(uris.map((uri) => answers(uri)))
      return uris.filter((_, at) => open[at])
    },
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  )

/** What a person's browser brings back for an authorization URL. */
export type Browser = (authorizationUrl: string) => Promise<URLSearchParams | 'parked' | 'shown'>

/** Stops in front of the redirect URI: all that a browser would have brought there. */
export const followRedirect: Browser = async (authorizationUrl) => {
  const response = await fetch(authorizationUrl, { redirect: 'manual' })
  await response.body?.cancel()
  return new URL(response.headers.get('location') ?? '').searchParams
}

/** A user agent without a listener, for what has nothing to do with one. */
export function scriptedAgent({ browser = followRedirect, onDemand = true } = {}): WatchedAgent {
  return watched({
    onDemand,
    begin: () => ({
      way: async () => ({ kind: 'redirect', redirectUri: 'http://127.0.0.1:1/callback' }),
      present: async (page) => (page.kind === 'redirect' ? browser(page.authorizationUrl) : 'shown'),
      end: async () => undefined,
    }),
  })
}
