import type { TokenVerdict } from './access-token.js'

/** How much a protected resource says when it refuses. */
export type ChallengeStyle = 'full' | 'bare' | 'none'

/** Status and `WWW-Authenticate` of a refusal, `undefined` where the server sends no such header. */
export function refusal(
  verdict: Exclude<TokenVerdict, { kind: 'accepted' }>,
  style: ChallengeStyle,
  parameters: {
    resourceMetadata: string
    scope: string | undefined
    /** Whether tokens are taken that are bound to a key: none but those, or those too. */
    dpop: 'required' | 'offered' | undefined
  },
): { status: 401 | 403; challenge: string | undefined } {
  const status = verdict.kind === 'insufficient' ? 403 : 401
  if (style === 'none') return { status, challenge: undefined }
  if (style === 'bare') return { status, challenge: 'Bearer' }

  const scope = verdict.kind === 'insufficient' ? verdict.scope : parameters.scope
  const all = [
    // RFC 6750 section 3.1: no error code for a request that carried no credentials at all.
    verdict.kind === 'invalid' ? `error="invalid_token", error_description="${verdict.reason}"` : undefined,
    verdict.kind === 'insufficient' ? 'error="insufficient_scope"' : undefined,
    `resource_metadata="${parameters.resourceMetadata}"`,
    scope === undefined ? undefined : `scope="${scope}"`,
  ]
  const rest = all.filter((part) => part !== undefined).join(', ')
  const bearer = `Bearer ${rest}`
  if (parameters.dpop === undefined) return { status, challenge: bearer }
  const error = verdict.kind === 'invalid' && verdict.proof
  const dpop = `DPoP algs="ES256", ${error ? rest.replace('invalid_token', error) : rest}`
  return { status, challenge: parameters.dpop === 'required' ? dpop : `${bearer}, ${dpop}` }
}
