import type { EventEmitter } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ClientMetadata } from 'oidc-provider'
import { onStatus, readBody, sendAnswer } from './answer.js'
import { type Commit, watchCommits } from './commits.js'
import { listen } from './listener.js'
import { type ConfiguredProvider, configureProvider } from './provider.js'
import { handleTokenRequest, type TokenEndpointControl } from './token-endpoint.js'

/** How a test's authorization server differs from the usual one. */
export interface AuthorizationServerOptions {
  /** 300 unless given; a demo that waits for expiry takes 3. */
  readonly accessTokenTtlSeconds?: number
  /** Clients registered beforehand, beside the ones that register themselves. */
  readonly clients?: readonly ClientMetadata[]
  /** `notes:read` and `notes:write` unless given. */
  readonly scopes?: readonly string[]
  /** What a request without `scope` is taken to ask for. Unless given, such a request ends in `access_denied`. */
  readonly defaultScope?: string
  /** Which resource indicators it issues tokens for: every one on http loopback unless given. */
  readonly resources?: readonly string[] | ((resource: string) => boolean)
  /** Whether every authorization request has to be pushed first (RFC 9126). False unless given. */
  readonly requirePushed?: boolean
  /** Whether devices can be authorized (RFC 8628). False unless given. Its answer names no interval. */
  readonly devices?: boolean
  /** Client metadata documents that it finds on the web, by URL; it takes none unless given. */
  readonly metadataDocuments?: ReadonlyMap<string, string>
  /** Whose assertions are good for tokens: issuers, with the place of their keys. None unless given. */
  readonly trustedIssuers?: Readonly<Record<string, string>>
  /** Whether a proof of possession (RFC 9449) needs the server's nonce. False unless given. */
  readonly proofNonces?: boolean
  /** At which well-known addresses the metadata is. Both unless given. */
  readonly metadata?: 'oauth' | 'openid' | 'both'
  /** Whether a page may register a client too: `oidc-provider` itself lets pages use every endpoint but that. */
  readonly cors?: boolean
}

/** A request that reached the authorization server: no query, no body, no secret. */
export interface AuthorizationServerRequest {
  readonly method: string
  readonly path: string
  readonly grant_type?: string
  /** When it arrived, in milliseconds since the epoch. */
  readonly at: number
  /** What it got; `undefined` while it waits, and for ever if it was cut. */
  readonly status?: number
}

/** A running authorization server. */
export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string
  /** Where its public keys are, so that a resource server need not look the metadata up. */
  readonly jwksUri: string
  /** Every request, in the order of arrival. */
  readonly requests: readonly AuthorizationServerRequest[]
  clearRequests(): void
  /** Every code and refresh token that was spent since the start, in order. */
  readonly commits: readonly Commit[]
  /** What went wrong inside the server or in a test's interception: empty, or the test is not testing what it says. */
  readonly errors: readonly unknown[]
  /** A test's hand on the token endpoint, settable at any time. */
  readonly tokenEndpoint: TokenEndpointControl
  /** Forgets every client that registered itself, as servers in the field do. Tokens stay in store. */
  forgetClients(): void
  close(): Promise<void>
}

const wellKnown = { oauth: '/.well-known/oauth-authorization-server', openid: '/.well-known/openid-configuration' }

/**
 * Starts a real authorization server (`oidc-provider`): dynamic registration, PKCE required, resource indicators with
 * JWT access tokens, rotating refresh tokens with reuse detection, revocation, `iss` in authorization responses.
 */
export async function startAuthorizationServer(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
  const requests: { -readonly [K in keyof AuthorizationServerRequest]: AuthorizationServerRequest[K] }[] = []
  const errors: unknown[] = []
  const tokenEndpoint: TokenEndpointControl = {}
  const hidden = hiddenMetadata(options.metadata ?? 'both')

  let serve: RequestListener | undefined
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
    const entry: (typeof requests)[number] = { method: request.method ?? 'GET', path, at: Date.now() }
    requests.push(entry)
    onStatus(response, (status) => {
      entry.status = status
    })

    const preflight = options.cors && path === '/reg' && allowPages(request, response)
    if (preflight) {
      await sendAnswer(response, { status: 204 })
    } else if (path === hidden) {
      await sendAnswer(response, { status: 404, body: 'not found' })
    } else if (path === '/token' && request.method === 'POST') {
      const body = await readBody(request)
      const grantType = new URLSearchParams(body.toString('utf8')).get('grant_type')
      if (grantType !== null) entry.grant_type = grantType
      await handleTokenRequest(tokenEndpoint, request, body, response, (...pair) => serve?.(...pair))
    } else {
      serve?.(request, response)
    }
  }

  const listener = await listen(() => (request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A client that goes away in the middle of its own request is not an error of the server.
      if (request.errored) return
      errors.push(error)
      if (response.headersSent) response.destroy()
      else void sendAnswer(response, { status: 500, body: 'the test interception threw' })
    })
  })

  let configured: ConfiguredProvider
  try {
    configured = await configureProvider({
      issuer: listener.origin,
      accessTokenTtlSeconds: () => tokenEndpoint.accessTokenTtlSeconds ?? options.accessTokenTtlSeconds ?? 300,
      clients: options.clients ?? [],
      scopes: options.scopes ?? ['notes:read', 'notes:write'],
      defaultScope: options.defaultScope,
      requirePushed: options.requirePushed ?? false,
      devices: options.devices ?? false,
      proofNonces: options.proofNonces ?? false,
      metadataDocuments: options.metadataDocuments,
      extensions: { trustedIssuers: options.trustedIssuers ?? {} },
      acceptsResource: resourceRule(options.resources),
    })
  } catch (error) {
    await listener.close()
    throw error
  }
  configured.provider.on('server_error', (_ctx, error) => errors.push(error))
  const commits = watchCommits(configured.provider)
  // With a listener Koa does not print what is kept here. The types leave out what the provider inherits from it.
  const emitter: EventEmitter = configured.provider
  emitter.on('error', (error: unknown) => errors.push(error))
  serve = configured.provider.callback()

  return {
    issuer: listener.origin,
    jwksUri: `${listener.origin}/jwks`,
    requests,
    clearRequests: () => {
      requests.length = 0
    },
    commits,
    errors,
    tokenEndpoint,
    forgetClients: () => configured.forget('Client'),
    close: listener.close,
    [Symbol.asyncDispose]: listener.close,
  }
}

/** @returns whether the request is a preflight, which is then to be answered with nothing else */
function allowPages(request: IncomingMessage, response: ServerResponse): boolean {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-allow-headers', 'content-type')
  return request.method === 'OPTIONS'
}

/** `oidc-provider` serves the same document at both addresses: an option hides one of them. */
function hiddenMetadata(metadata: 'oauth' | 'openid' | 'both'): string | undefined {
  if (metadata === 'both') return undefined
  return metadata === 'oauth' ? wellKnown.openid : wellKnown.oauth
}

function resourceRule(resources: AuthorizationServerOptions['resources']): (resource: string) => boolean {
  if (typeof resources === 'function') return resources
  if (resources !== undefined) return (resource) => resources.includes(resource)
  return (resource) => {
    const { protocol, hostname } = new URL(resource)
    return protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  }
}
