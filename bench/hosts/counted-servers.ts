import { setTimeout } from 'node:timers/promises'
import { type AuthorizationServer, startAuthorizationServer, startMcpServer } from '@countersign/test/servers'

/** A real authorization server with two real MCP servers, and what a host has sent to them. */
export interface CountedServers extends AsyncDisposable {
  readonly authorizationServer: AuthorizationServer
  readonly url: string
  readonly secondUrl: string
  /** How many requests of a host arrived since the last `clear`, once no more come. */
  requests(): Promise<number>
  /** Token requests with a refresh token since the last `clear`. */
  refreshes(): number
  clear(): void
}

/** @param accessTokenTtlSeconds - of every access token */
export async function countedServers(accessTokenTtlSeconds: number): Promise<CountedServers> {
  const authorizationServer = await startAuthorizationServer({ accessTokenTtlSeconds })
  const first = await startMcpServer({ authorizationServer })
  const second = await startMcpServer({ authorizationServer })
  const ofHost = (): number =>
    first.requests.length +
    second.requests.length +
    authorizationServer.requests.filter(({ path }) => !ofPerson(path) && path !== '/jwks').length

  return {
    authorizationServer,
    url: first.url,
    secondUrl: second.url,
    requests: () => settled(ofHost),
    refreshes: () => authorizationServer.requests.filter((request) => request.grant_type === 'refresh_token').length,
    clear: () => {
      for (const server of [first, second, authorizationServer]) server.clearRequests()
    },
    async [Symbol.asyncDispose]() {
      for (const server of [first, second, authorizationServer]) await server.close()
    },
  }
}

/** The person's own browser: the authorization endpoint and the pages behind it. The keys are fetched by the MCP servers. */
const ofPerson = (path: string): boolean => /^\/(auth|interaction)(\/|$)/.test(path)

/** Long enough for a request that is on its way, on a busy machine too. */
const QUIET_MS = 500

/** The count, once nothing has been added to it for a while. A client's stream is the last of a connect, and nobody awaits it. */
async function settled(count: () => number): Promise<number> {
  for (;;) {
    const before = count()
    await setTimeout(QUIET_MS)
    if (count() === before) return before
  }
}
