import type { OAuthClientProvider, OAuthDiscoveryState, OAuthTokens } from '@modelcontextprotocol/client'

type ClientInformation = Awaited<ReturnType<OAuthClientProvider['clientInformation']>>

/** What a host with an SDK's provider keeps. */
export interface ProviderStore {
  /** By server. */
  readonly tokens: Map<string, OAuthTokens>
  /** By issuer where the SDK names it (v2), so that servers share a registration; else by server. */
  readonly clients: Map<string, NonNullable<ClientInformation>>
  /** By server. */
  readonly discovery: Map<string, OAuthDiscoveryState>
}

const redirectUri = 'http://127.0.0.1:41999/callback'

/**
 * The provider that a host has to write for either SDK, with everything implemented that keeps a login: what the SDK calls
 * invalid is dropped, and nothing else.
 *
 * @param options.cacheDiscovery - whether the host implements the optional `discoveryState` too
 * @param options.show - takes the person to a page
 */
export function memoryProvider(
  store: ProviderStore,
  server: string,
  { cacheDiscovery, show }: { readonly cacheDiscovery: boolean; readonly show: (url: URL) => void },
): OAuthClientProvider {
  let verifier = ''
  const drop: Record<string, () => void> = {
    client: () => store.clients.clear(),
    tokens: () => void store.tokens.delete(server),
    discovery: () => void store.discovery.delete(server),
  }
  return {
    redirectUrl: redirectUri,
    clientMetadata: {
      client_name: 'bench',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => crypto.randomUUID(),
    clientInformation: (context) => store.clients.get(context?.issuer ?? server),
    saveClientInformation: (client, context) => void store.clients.set(context?.issuer ?? server, client),
    tokens: () => store.tokens.get(server),
    saveTokens: (tokens) => void store.tokens.set(server, tokens),
    redirectToAuthorization: show,
    saveCodeVerifier: (value) => {
      verifier = value
    },
    codeVerifier: () => verifier,
    invalidateCredentials: (scope) => {
      for (const [name, dropIt] of Object.entries(drop)) if (scope === 'all' || scope === name) dropIt()
    },
    ...(cacheDiscovery && {
      discoveryState: () => store.discovery.get(server),
      saveDiscoveryState: (state) => void store.discovery.set(server, state),
    }),
  }
}
