import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { JWTPayload } from 'jose'
import { createTokenVerifier } from './access-token.js'
import { onStatus, readBody, sendAnswer } from './answer.js'
import { type ChallengeStyle, refusal } from './challenge.js'
import { listen } from './listener.js'
import { createMcpSessions } from './mcp-sessions.js'
import { createNotesServer, type Notebook } from './notes.js'

/** How a test's MCP server differs from the usual one. */
export interface McpServerOptions {
  /** Whose tokens it accepts: a running `AuthorizationServer`, or any issuer that publishes its keys. */
  readonly authorizationServer: { readonly issuer: string; readonly jwksUri?: string }
  /** `/mcp` unless given. */
  readonly path?: string
  /** Its resource identifier and audience: its own URL unless given. */
  readonly resource?: string
  /** Space separated. A token without all of it gets 403 `insufficient_scope`. */
  readonly requiredScope?: string
  /** The `scope` of its 401 challenge: `requiredScope` unless given. */
  readonly challengeScope?: string
  /** `notes:read` and `notes:write` unless given; an empty list leaves it out. */
  readonly scopesSupported?: readonly string[]
  /** `bare` is `Bearer` without parameters, `none` a 401 without `WWW-Authenticate`. */
  readonly challenge?: ChallengeStyle
  /** Where the resource metadata is: with the path inserted, or at the root. The challenge names the same place. */
  readonly metadataAt?: 'path' | 'root'
  /**
   * Whether it takes tokens that are bound to a key (RFC 9449): none but those, or those too. It verifies each proof. No unless
   * given.
   */
  readonly dpop?: 'required' | 'offered'
  /** What a page of another origin may do, with the headers that it needs to see. Not said unless given. */
  readonly cors?: boolean
}

/** A request that reached the MCP server. */
export interface McpServerRequest {
  readonly method: string
  readonly path: string
  /** It carried a token, and the token was good. */
  readonly authorized: boolean
  /** It carried no `Authorization` header. */
  readonly bare: boolean
  /** The JSON-RPC method of a POST. */
  readonly rpc?: string
  /** 0 until the answer begins. */
  readonly status: number
  /** When it arrived, in milliseconds since the epoch. */
  readonly at: number
}

/** A running, protected MCP server. */
export interface McpServerUnderTest extends AsyncDisposable {
  readonly url: string
  readonly resource: string
  /** Where its RFC 9728 metadata is. */
  readonly resourceMetadataUrl: string
  /** Every request, in the order of arrival. */
  readonly requests: readonly McpServerRequest[]
  clearRequests(): void
  /** What went wrong inside the server. */
  readonly errors: readonly unknown[]
  /** Refuses tokens that are good in every other way, settable at any time. */
  rejects: ((claims: JWTPayload) => boolean) | undefined
  /** The only nonce that it takes in a proof, settable at any time; undefined: it wants none. */
  nonce: string | undefined
  /** The nonce that comes with what it answers well, and is the only one that it takes from then on. */
  nextNonce: (() => string) | undefined
  close(): Promise<void>
}

const wellKnown = '/.well-known/oauth-protected-resource'

const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, dpop, last-event-id, mcp-protocol-version, mcp-session-id',
  'access-control-expose-headers': 'dpop-nonce, mcp-session-id, www-authenticate',
}

/**
 * Starts a real MCP server (Streamable HTTP, stateful, three tools over notes) that accepts nothing but JWT access
 * tokens issued for it, and says so as RFC 9728 and RFC 6750 want it said.
 */
export async function startMcpServer(options: McpServerOptions): Promise<McpServerUnderTest> {
  const requests: { -readonly [K in keyof McpServerRequest]: McpServerRequest[K] }[] = []
  const errors: unknown[] = []
  const path = options.path ?? '/mcp'
  const metadataPath = options.metadataAt === 'root' || path === '/' ? wellKnown : wellKnown + path
  const scopesSupported = options.scopesSupported ?? ['notes:read', 'notes:write']
  const notebook: Notebook = new Map()
  const sessions = createMcpSessions(() => createNotesServer(notebook))

  const listener = await listen((origin) => {
    const resource = options.resource ?? origin + path
    const verify = createTokenVerifier({
      issuer: options.authorizationServer.issuer,
      jwksUri: options.authorizationServer.jwksUri,
      audience: resource,
      requiredScope: options.requiredScope,
      dpop: options.dpop,
      nonce: () => self.nonce,
      rejects: (claims) => self.rejects?.(claims) ?? false,
    })

    const handle = async (request: IncomingMessage & { auth?: AuthInfo }, response: ServerResponse): Promise<void> => {
      const entry = logged(request, response)
      requests.push(entry)
      if (entry.path === metadataPath) {
        const scopes = scopesSupported.length === 0 ? {} : { scopes_supported: scopesSupported }
        const proofs = options.dpop && {
          dpop_signing_alg_values_supported: ['ES256'],
          dpop_bound_access_tokens_required: options.dpop === 'required',
        }
        return sendAnswer(response, {
          headers: { 'access-control-allow-origin': '*' },
          json: {
            resource,
            authorization_servers: [options.authorizationServer.issuer],
            bearer_methods_supported: ['header'],
            ...scopes,
            ...proofs,
          },
        })
      }
      if (options.cors) {
        for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value)
        if (entry.method === 'OPTIONS') return sendAnswer(response, { status: 204 })
      }
      if (entry.path !== path) return sendAnswer(response, { status: 404, body: 'not found' })

      const body = await readBody(request)
      const message = body.length === 0 ? undefined : parsed(body)
      const rpc = (message as { method?: unknown } | undefined)?.method
      if (typeof rpc === 'string') entry.rpc = rpc

      const { authorization, dpop: proof } = request.headers
      const url = new URL(request.url ?? '/', origin).href
      const verdict = await verify({
        authorization,
        proof: Array.isArray(proof) ? proof.join() : proof,
        method: entry.method,
        url,
      })
      if (verdict.kind !== 'accepted') {
        const { status, challenge } = refusal(verdict, options.challenge ?? 'full', {
          resourceMetadata: origin + metadataPath,
          scope: options.challengeScope ?? options.requiredScope,
          dpop: options.dpop,
        })
        const lacks = verdict.kind === 'invalid' && verdict.proof === 'use_dpop_nonce'
        const headers = {
          ...(challenge !== undefined && { 'www-authenticate': challenge }),
          ...(lacks && self.nonce !== undefined && { 'dpop-nonce': self.nonce }),
        }
        return sendAnswer(response, { status, headers, json: { error: verdict.kind } })
      }
      entry.authorized = true
      if (self.nextNonce) {
        self.nonce = self.nextNonce()
        response.setHeader('dpop-nonce', self.nonce)
      }
      if (message === null) return sendAnswer(response, { status: 400, json: { error: 'not JSON' } })
      request.auth = verdict.authInfo
      await sessions.handle(request, response, message)
    }

    return (request, response) => {
      handle(request, response).catch((error: unknown) => {
        // A client that goes away in the middle of its own request is not an error of the server.
        if (request.errored) return
        errors.push(error)
        if (response.headersSent) response.destroy()
        else void sendAnswer(response, { status: 500, body: 'internal error' })
      })
    }
  })

  const close = async (): Promise<void> => {
    await sessions.close()
    await listener.close()
  }
  const self: McpServerUnderTest = {
    url: listener.origin + path,
    resource: options.resource ?? listener.origin + path,
    resourceMetadataUrl: listener.origin + metadataPath,
    requests,
    clearRequests: () => {
      requests.length = 0
    },
    errors,
    rejects: undefined,
    nonce: undefined,
    nextNonce: undefined,
    close,
    [Symbol.asyncDispose]: close,
  }
  return self
}

function logged(
  request: IncomingMessage,
  response: ServerResponse,
): { -readonly [K in keyof McpServerRequest]: McpServerRequest[K] } {
  const entry = {
    method: request.method ?? 'GET',
    path: new URL(request.url ?? '/', 'http://127.0.0.1').pathname,
    authorized: false,
    bare: request.headers.authorization === undefined,
    status: 0,
    at: Date.now(),
  }
  onStatus(response, (status) => {
    entry.status = status
  })
  return entry
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
}
