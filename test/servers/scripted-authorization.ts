import type { Answer } from './answer.js'
import { type ScriptableRequest, type ScriptableServer, startScriptableServer } from './scriptable.js'

/** The routes of a scripted authorization; `other` is every path that none of them has. */
export type ScriptedRoute =
  | 'mcp'
  | 'resourceMetadata'
  | 'serverMetadata'
  | 'register'
  | 'authorize'
  | 'deviceAuthorization'
  | 'token'
  | 'revoke'
  | 'other'

/** Instead of a route's own answer: an answer, or a function that may also ask for the usual one and alter it. */
export type ScriptedOverride =
  | Answer
  | ((request: ScriptableRequest, usual: () => Answer) => Answer | undefined | Promise<Answer | undefined>)

/** One origin that plays an MCP server and its authorization server. */
export interface ScriptedAuthorization extends ScriptableServer {
  /** The MCP server's URL, which is also its resource identifier. */
  readonly url: string
  readonly issuer: string
  /** Settable at any time: the next request sees it. */
  readonly routes: Partial<Record<ScriptedRoute, ScriptedOverride>>
  /** The tokens that are good now. Delete one, and it is rejected from then on. */
  readonly accessTokens: Set<string>
  readonly refreshTokens: Set<string>
  /** Device codes that wait for the person. Delete one, and it is approved. */
  readonly deviceCodes: Set<string>
}

const paths: Readonly<Record<string, ScriptedRoute>> = {
  '/mcp': 'mcp',
  '/.well-known/oauth-protected-resource/mcp': 'resourceMetadata',
  '/.well-known/oauth-authorization-server': 'serverMetadata',
  '/register': 'register',
  '/authorize': 'authorize',
  '/device': 'deviceAuthorization',
  '/token': 'token',
  '/revoke': 'revoke',
}

/**
 * Starts the smallest consistent pair of MCP server and authorization server, each of whose routes a test can
 * override. Nobody is asked: the authorization endpoint redirects back at once. PKCE, client and redirect URI are
 * not checked; the real servers do that.
 */
export async function scriptedAuthorization(
  options: {
    routes?: Partial<Record<ScriptedRoute, ScriptedOverride>>
    accessTokenTtlSeconds?: number
    /** Whether devices can be authorized (RFC 8628), beside the usual way. */
    devices?: boolean
  } = {},
): Promise<ScriptedAuthorization> {
  const routes = { ...options.routes }
  const accessTokens = new Set<string>()
  const refreshTokens = new Set<string>()
  const codes = new Set<string>()
  const deviceCodes = new Set<string>()
  let counter = 0

  const tokens = (scope: string | null): Answer => {
    const accessToken = `scripted-access-token-${++counter}`
    const refreshToken = `scripted-refresh-token-${counter}`
    accessTokens.add(accessToken)
    refreshTokens.add(refreshToken)
    return {
      headers: { 'cache-control': 'no-store' },
      json: {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: options.accessTokenTtlSeconds ?? 300,
        refresh_token: refreshToken,
        ...(scope ? { scope } : {}),
      },
    }
  }

  const usual = (request: ScriptableRequest): Record<ScriptedRoute, () => Answer> => ({
    mcp: () => {
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
      if (token !== undefined && accessTokens.has(token)) {
        const id = (parsed(request.body) as { id?: unknown } | undefined)?.id
        return id === undefined ? { status: 202 } : { json: { jsonrpc: '2.0', id, result: {} } }
      }
      const metadata = `resource_metadata="${new URL('/.well-known/oauth-protected-resource/mcp', request.url)}"`
      const challenge = token === undefined ? `Bearer ${metadata}` : `Bearer error="invalid_token", ${metadata}`
      return { status: 401, headers: { 'www-authenticate': challenge }, json: { error: 'unauthorized' } }
    },
    resourceMetadata: () => ({ json: { resource: `${server.origin}/mcp`, authorization_servers: [server.origin] } }),
    serverMetadata: () => ({
      json: {
        issuer: server.origin,
        authorization_endpoint: `${server.origin}/authorize`,
        token_endpoint: `${server.origin}/token`,
        registration_endpoint: `${server.origin}/register`,
        ...(options.devices && { device_authorization_endpoint: `${server.origin}/device` }),
        revocation_endpoint: `${server.origin}/revoke`,
        response_types_supported: ['code'],
        grant_types_supported: ['authorization_code', 'refresh_token'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        revocation_endpoint_auth_methods_supported: ['none'],
        authorization_response_iss_parameter_supported: true,
      },
    }),
    register: () => ({
      status: 201,
      json: {
        token_endpoint_auth_method: 'none',
        ...(parsed(request.body) as object | undefined),
        client_id: `scripted-client-${++counter}`,
      },
    }),
    authorize: () => {
      const location = new URL(request.query.get('redirect_uri') ?? '/', server.origin)
      const code = `scripted-code-${++counter}`
      codes.add(code)
      location.searchParams.set('code', code)
      const state = request.query.get('state')
      if (state !== null) location.searchParams.set('state', state)
      location.searchParams.set('iss', server.origin)
      return { status: 302, headers: { location: location.href } }
    },
    deviceAuthorization: () => {
      const device_code = `scripted-device-code-${++counter}`
      deviceCodes.add(device_code)
      const verification_uri = `${server.origin}/enter`
      return { json: { device_code, user_code: `CODE-${counter}`, verification_uri, expires_in: 600 } }
    },
    token: () => {
      const form = new URLSearchParams(request.body)
      const deviceCode = form.get('device_code')
      if (deviceCode !== null && deviceCodes.has(deviceCode)) {
        return { status: 400, json: { error: 'authorization_pending' } }
      }
      if (deviceCode !== null) return tokens(form.get('scope'))
      const good =
        form.get('grant_type') === 'authorization_code'
          ? codes.delete(form.get('code') ?? '')
          : refreshTokens.delete(form.get('refresh_token') ?? '')
      return good ? tokens(form.get('scope')) : { status: 400, json: { error: 'invalid_grant' } }
    },
    revoke: () => {
      const token = new URLSearchParams(request.body).get('token') ?? ''
      accessTokens.delete(token)
      refreshTokens.delete(token)
      return {}
    },
    other: () => ({ status: 404, body: 'not found' }),
  })

  const server: ScriptableServer = await startScriptableServer((request) => {
    const route = paths[request.path] ?? 'other'
    const override = routes[route]
    const normal = usual(request)[route]
    if (typeof override === 'function') return override(request, normal)
    return override ?? normal()
  })

  return {
    ...server,
    url: `${server.origin}/mcp`,
    issuer: server.origin,
    routes,
    accessTokens,
    refreshTokens,
    deviceCodes,
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
