import type { Answer } from '../servers/answer.js'
import type { ScriptableRequest, ScriptedAuthorization } from '../servers/index.js'
import { createProofVerifier, type ProofVerdict } from '../servers/proof.js'

/** What a scripted server demands, settable at any time. */
export interface ProofDemands {
  /** What its challenge and its metadata say. */
  says: 'required' | 'offered' | 'nothing'
  /** The nonce that a proof at the token endpoint needs; undefined: none. */
  tokenNonce: string | undefined
  /** The nonce that a proof at the resource needs; undefined: none. */
  resourceNonce: string | undefined
  /** What the resource's next good answer brings in place of that. */
  nextNonce: string | undefined
  /** The `token_type` that it issues for a proof. */
  issues: 'DPoP' | 'Bearer'
}

/** A server that demands proofs, and what it made of each that came. */
export interface ProofDemanding extends ProofDemands {
  readonly verdicts: { readonly at: 'token' | 'resource'; readonly verdict: ProofVerdict }[]
  /** The keys that tokens are bound to, by token. */
  readonly bound: Map<string, string>
}

const headerOf = (request: ScriptableRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join() : value
}

/**
 * Makes a scripted server take none but bound tokens, or those too, and verify each proof. For what a real server cannot be made
 * to do.
 */
export function demandsProofs(server: ScriptedAuthorization, demands: Partial<ProofDemands> = {}): ProofDemanding {
  const verify = createProofVerifier()
  const self: ProofDemanding = {
    says: 'required',
    tokenNonce: undefined,
    resourceNonce: undefined,
    nextNonce: undefined,
    issues: 'DPoP',
    ...demands,
    verdicts: [],
    bound: new Map(),
  }
  const judge = async (
    at: 'token' | 'resource',
    request: ScriptableRequest,
    nonce: string | undefined,
    accessToken?: string,
  ): Promise<ProofVerdict> => {
    const { method, url } = request
    const verdict = await verify({ method, url, proof: headerOf(request, 'dpop'), accessToken, nonce })
    self.verdicts.push({ at, verdict })
    return verdict
  }

  server.routes.serverMetadata = (_request, usual) => ({
    json: { ...(usual().json as object), dpop_signing_alg_values_supported: ['ES256'] },
  })
  server.routes.resourceMetadata = (_request, usual) => ({
    json: {
      ...(usual().json as object),
      ...(self.says !== 'nothing' && {
        dpop_signing_alg_values_supported: ['ES256'],
        dpop_bound_access_tokens_required: self.says === 'required',
      }),
    },
  })
  server.routes.token = async (request, usual): Promise<Answer> => {
    if (headerOf(request, 'dpop') === undefined) return usual()
    const verdict = await judge('token', request, self.tokenNonce)
    const headers = self.tokenNonce === undefined ? {} : { 'dpop-nonce': self.tokenNonce }
    if (verdict.kind === 'bad')
      return { status: 400, headers, json: { error: verdict.error, error_description: verdict.reason } }
    const answer = usual()
    const { access_token } = answer.json as { access_token?: string }
    if (access_token === undefined || self.issues === 'Bearer') return answer
    self.bound.set(access_token, verdict.jkt)
    return {
      ...answer,
      headers: { ...answer.headers, ...headers },
      json: { ...(answer.json as object), token_type: 'DPoP' },
    }
  }
  server.routes.mcp = async (request, usual): Promise<Answer> => {
    const metadata = `resource_metadata="${server.origin}/.well-known/oauth-protected-resource/mcp"`
    const refuse = (error?: string): Answer => {
      const words = error === undefined ? metadata : `error="${error}", ${metadata}`
      const dpop = `DPoP algs="ES256", ${words}`
      const challenge = { required: dpop, offered: `Bearer ${words}, ${dpop}`, nothing: `Bearer ${words}` }[self.says]
      return {
        status: 401,
        headers: {
          'www-authenticate': challenge,
          ...(self.resourceNonce !== undefined && { 'dpop-nonce': self.resourceNonce }),
        },
        json: { error: 'unauthorized' },
      }
    }
    const [, scheme = '', token = ''] = /^(\S+) (.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (scheme === 'Bearer' && self.says !== 'required' && !self.bound.has(token)) return usual()
    if (token === '') return refuse()
    if (scheme !== 'DPoP' || !server.accessTokens.has(token)) return refuse('invalid_token')
    const verdict = await judge('resource', request, self.resourceNonce, token)
    if (verdict.kind === 'bad') return refuse(verdict.error)
    if (verdict.jkt !== self.bound.get(token)) return refuse('invalid_token')
    self.resourceNonce = self.nextNonce ?? self.resourceNonce
    const headers = self.resourceNonce === undefined ? {} : { 'dpop-nonce': self.resourceNonce }
    return { headers, json: { jsonrpc: '2.0', id: 1, result: {} } }
  }
  return self
}
