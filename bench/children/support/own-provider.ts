import type { OAuthClientProvider } from '@modelcontextprotocol/client'
import { accessToken } from './signed-in.js'

/** What a host gives an SDK's transport instead of us: the token in memory, and nothing that could cost anything. */
export const ownProvider: OAuthClientProvider = {
  redirectUrl: 'http://127.0.0.1:41999/callback',
  clientMetadata: { redirect_uris: ['http://127.0.0.1:41999/callback'] },
  clientInformation: () => ({ client_id: 'bench-client' }),
  tokens: () => tokens,
  saveTokens: () => undefined,
  redirectToAuthorization: () => undefined,
  saveCodeVerifier: () => undefined,
  codeVerifier: () => '',
}

const tokens = { access_token: accessToken, token_type: 'Bearer', expires_in: 3600, refresh_token: 'r'.repeat(64) }
