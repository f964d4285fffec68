import { CountersignError } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'
import type { BearerChallenge } from '../messages/bearer-challenge.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { parseWwwAuthenticate } from '../primitives/www-authenticate.js'
import type { Proofs } from '../steps/context.js'
import type { DiscoveredResource } from '../steps/discover-resource.js'
import type { ConnectionCore } from './connection-core.js'
import { grantedOf } from './current-token.js'
import { type McpRequest, send } from './mcp-request.js'
import { heldBy, library, pairOf } from './proof-keys.js'

/** What the library signs with, the most usual first. */
const ALGORITHMS = ['ES256', 'Ed25519', 'PS256', 'RS256']

const step = 'prove'

/**
 * What proofs are to be signed with: something that both servers take. Without `required`, nothing where the resource does not say
 * that it takes bound tokens: one that it does not know would be refused.
 */
export function signingAlgorithm(
  { proving }: ConnectionCore,
  { metadata: resource, challenge }: DiscoveredResource,
  server: AuthorizationServerMetadata,
): string | undefined {
  const { dpop_signing_alg_values_supported: taken = [], dpop_bound_access_tokens_required: only } = resource
  const { dpop_signing_alg_values_supported: supported = [] } = server
  const demanded = proving?.required || only || challenge?.dpop === 'required'
  const offered = supported.length > 0 && (taken.length > 0 || challenge?.dpop !== undefined)
  if (!demanded && !offered) return undefined
  const common = ALGORITHMS.find((name) =>
    [taken, supported].every((names) => names.length === 0 || names.includes(name)),
  )
  if (common !== undefined || !demanded) return common
  throw new CountersignError('authorization_server_metadata_invalid', {
    step: 'discover',
    url: server.issuer,
    expected: `dpop_signing_alg_values_supported with one of ${ALGORITHMS.join(' ')}`,
    received: [...new Set([...taken, ...supported])].join(' '),
  })
}

/** A proof for one request (RFC 9449 section 4.2), and the nonce that is in it. Undefined where the key is gone. */
async function prove(
  core: ConnectionCore,
  key: string,
  htm: string,
  url: string,
  server: string,
  accessToken?: string,
): Promise<{ readonly proof: string; readonly nonce: string | undefined } | undefined> {
  const [pair, { generateProof }] = await Promise.all([pairOf(core, key), library()])
  if (pair === undefined) return undefined
  const nonce = heldBy(core).nonces.get(server)
  const { origin, pathname } = new URL(url)
  try {
    return { proof: await generateProof(pair, origin + pathname, htm, nonce, accessToken), nonce }
  } catch (cause) {
    const expected = 'a key pair that signs'
    throw new CountersignError('store_unavailable', { step, url, expected, received: 'an exception', cause })
  }
}

/** Keeps the nonce that an answer brings (RFC 9449 section 8.2), whatever else it says. */
function learn(core: ConnectionCore, server: string, headers: Headers): string | undefined {
  const nonce = headers.get('dpop-nonce') ?? undefined
  if (nonce !== undefined) heldBy(core).nonces.set(server, nonce)
  return nonce
}

/** What a server says of a proof that it does not take. A nonce that is too old is said in either way. */
const REFUSED = /^(use_dpop_nonce|invalid_dpop_proof)$/

export const proofsOf = (core: ConnectionCore): Proofs => ({
  binding: core.proving?.required ? 'required' : 'possible',
  issued: (url, received) => {
    if (received === 'Bearer') {
      core.context.diagnose({ code: 'dpop_declined', url, expected: 'token_type DPoP', received })
    }
  },
  through: async (key, url, send) => {
    // A server can be both, and has a nonce for each then (RFC 9449 section 9).
    const server = `token ${new URL(url).origin}`
    for (let again = false; ; again = true) {
      const made = await prove(core, key, 'POST', url, server)
      if (made === undefined) throw keyGone(core)
      const answer = await send({ dpop: made.proof })
      const nonce = learn(core, server, answer.headers)
      const lacked = nonce !== undefined && nonce !== made.nonce && answer.status >= 400 && answer.status < 500
      if (again || !lacked || !REFUSED.test(parseOAuthError(answer.text)?.error ?? '')) return answer
    }
  },
  refused: (headers) => ({ action: 'fix_configuration', hint: refusedHint(core, headers) }),
})

const keyGone = ({ url }: ConnectionCore): CountersignError =>
  new CountersignError('store_unavailable', {
    step,
    url,
    expected: 'the key that this login was begun with',
    received: 'none',
    hint: 'Sign in again. Where that does not help, pass keys that outlive the process, as the store does.',
  })

/** A clock that is off by so much is worth being named, in seconds. */
const OFF_S = 5

function refusedHint({ runtime }: ConnectionCore, headers: Headers): string {
  const off = Math.round((runtime.clock.now() - Date.parse(headers.get('date') ?? '')) / 1000)
  return Math.abs(off) < OFF_S || Number.isNaN(off)
    ? 'The server refuses the proof of possession: report it to its operator.'
    : `The server refuses the proof of possession. This clock is ${Math.abs(off)} s ${off > 0 ? 'ahead of' : 'behind'} its own: set it.`
}

/** Answers that refused the proof. */
const refusals = new WeakMap<Response, 'nonce' | 'proof'>()

export const refusedProof = (response: Response): 'nonce' | 'proof' | undefined => refusals.get(response)

export async function sendBound(core: ConnectionCore, request: McpRequest): Promise<Response> {
  const { input, init, method, url, door = core.runtime.fetch } = request
  const { target, tokens } = grantedOf(core.held.known) ?? {}
  // Signed in anew meanwhile, with another kind of token.
  if (tokens?.token_type === 'Bearer') return send(core, request, tokens)
  const server = `resource ${core.origin}`
  const key = target?.dpop_key_id
  const made = key && tokens ? await prove(core, key, method, url, server, tokens.access_token) : undefined
  // A token whose key is gone is worth nothing: the server says what it wants instead.
  if (made === undefined || tokens === undefined) return send(core, request, undefined)
  // A copy: a proof that was sent must not stay for what is sent next.
  const headers = new Headers(request.headers)
  headers.set('authorization', `DPoP ${tokens.access_token}`)
  headers.set('dpop', made.proof)
  const response = await door(input, { ...init, headers })
  const nonce = learn(core, server, response.headers)
  const { challenges } = parseWwwAuthenticate(
    response.status === 401 ? (response.headers.get('www-authenticate') ?? '') : '',
  )
  const errors = challenges
    .filter(({ scheme }) => /^dpop$/i.test(scheme))
    .flatMap(({ parameters }) => parameters.get('error') ?? [])
  if (errors.some((error) => REFUSED.test(error))) {
    refusals.set(response, nonce !== undefined && nonce !== made.nonce ? 'nonce' : 'proof')
  }
  return response
}

/** The error for a proof that the server does not take, although it has whatever it asked for. */
export const refusalOf = (
  core: ConnectionCore,
  url: string,
  { error = '' }: BearerChallenge,
  headers: Headers,
): CountersignError =>
  new CountersignError('credentials_rejected', {
    step: 'authorize',
    url,
    received: `HTTP 401 ${REFUSED.test(error) ? error : ''} for a proof`,
    action: 'fix_configuration',
    hint: refusedHint(core, headers),
  })
