import { createHash, randomBytes } from 'node:crypto'
import type { Person } from './person.js'

/** An answer of an authorization server, with whatever JSON it had. */
export interface PlainAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** An OAuth client made of `fetch` and nothing else. */
export interface PlainClient {
  readonly clientId: string
  readonly redirectUri: string
  /** Builds an authorization request; `parameters` adds to it, replaces, or (as `undefined`) leaves out. */
  authorizationUrl(parameters?: Parameters): string
  /** The authorization response that a person's decision leads to. */
  authorize(who: Person, parameters?: Parameters): Promise<URLSearchParams>
  /** The whole flow up to the token response. */
  signIn(who: Person, parameters?: Parameters): Promise<PlainAnswer>
  exchange(code: string, parameters?: Parameters): Promise<PlainAnswer>
  refresh(refreshToken: unknown, parameters?: Parameters): Promise<PlainAnswer>
  revoke(token: unknown): Promise<PlainAnswer>
}

type Parameters = Readonly<Record<string, string | undefined>>

/** The endpoints of `oidc-provider`; a scripted server has other names. */
const endpoints = { authorization: '/auth', token: '/token', registration: '/reg', revocation: '/token/revocation' }

/**
 * Registers a client and returns it.
 *
 * It proves the servers independently of the library under test, and lets a test look over the library's shoulder:
 * whether a refresh token still works, say. Everything it sends can be made wrong.
 */
export async function plainClient(
  issuer: string,
  options: { resource?: string; scope?: string; paths?: typeof endpoints; clientId?: string } = {},
): Promise<PlainClient> {
  const paths = options.paths ?? endpoints
  const redirectUri = 'http://127.0.0.1:41999/callback'
  const verifier = randomBytes(32).toString('base64url')
  const clientId = options.clientId ?? (await register(issuer + paths.registration))

  const post = (path: string, parameters: Parameters): Promise<PlainAnswer> =>
    answerOf(fetch(issuer + path, { method: 'POST', body: form({ client_id: clientId, ...parameters }) }))

  const self: PlainClient = {
    clientId,
    redirectUri,
    authorizationUrl(parameters) {
      const url = new URL(issuer + paths.authorization)
      url.search = form({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        state: 'plain-state',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        scope: options.scope ?? 'notes:read notes:write',
        resource: options.resource,
        ...parameters,
      }).toString()
      return url.href
    },
    authorize: async (who, parameters) =>
      new URL(await who.authorizationResponse(self.authorizationUrl(parameters))).searchParams,
    async signIn(who, parameters) {
      const response = await self.authorize(who, parameters)
      const code = response.get('code')
      if (code === null) return { status: 0, body: Object.fromEntries(response) }
      return self.exchange(code, { redirect_uri: parameters?.redirect_uri ?? redirectUri })
    },
    exchange: (code, parameters) =>
      post(paths.token, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        resource: options.resource,
        ...parameters,
      }),
    refresh: (refreshToken, parameters) =>
      post(paths.token, {
        grant_type: 'refresh_token',
        refresh_token: String(refreshToken),
        resource: options.resource,
        ...parameters,
      }),
    revoke: (token) => post(paths.revocation, { token: String(token) }),
  }
  return self
}

async function register(endpoint: string): Promise<string> {
  const metadata = {
    client_name: 'Plain client',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  const headers = { 'content-type': 'application/json' }
  const { status, body } = await answerOf(fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(metadata) }))
  if (status !== 201) throw new Error(`registration answered ${status}: ${body.error_description}`)
  return String(body.client_id)
}

async function answerOf(request: Promise<Response>): Promise<PlainAnswer> {
  const response = await request
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

function form(parameters: Parameters): URLSearchParams {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return new URLSearchParams(given)
}
