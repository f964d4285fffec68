import fc from 'fast-check'
import * as oauth from 'oauth4webapi'
import { describe, expect, it } from 'vitest'
import { codeChallengeS256, createCodeVerifier } from '../../packages/core/src/primitives/pkce.js'
import { acceptAuthorizationResponse } from '../../packages/core/src/steps/accept-response.js'

const issuer = 'https://as.example'
const target = {
  issuer,
  resource: 'https://rs.example/mcp',
  token_endpoint: `${issuer}/token`,
  client_id_metadata_document_supported: false,
}
const pending = {
  kind: 'redirect' as const,
  state: 'S',
  code_verifier: 'v',
  redirect_uri: 'http://127.0.0.1:1/callback',
  authorization_url: `${issuer}/authorize`,
  expires_at: 10,
}

/** Whether our own check takes a response. */
function ours(parameters: URLSearchParams, iss_parameter: boolean): boolean {
  try {
    return acceptAuthorizationResponse(parameters, pending, { ...target, iss_parameter }, 0) !== ''
  } catch {
    return false
  }
}

/** Whether oauth4webapi, which is certified, takes it. */
function theirs(parameters: URLSearchParams, authorization_response_iss_parameter_supported: boolean): boolean {
  try {
    const server = { issuer, authorization_response_iss_parameter_supported }
    return oauth.validateAuthResponse(server, { client_id: 'c' }, parameters, pending.state).has('code')
  } catch {
    return false
  }
}

describe('beside oauth4webapi, a certified client', () => {
  it('the code_challenge of a code_verifier is the same', async () => {
    const verifier = createCodeVerifier((bytes) => crypto.getRandomValues(new Uint8Array(bytes)))
    expect(await codeChallengeS256(verifier)).toBe(await oauth.calculatePKCECodeChallenge(verifier))
  })

  it('no authorization response is taken that it refuses', () => {
    const name = fc.constantFrom('state', 'code', 'iss', 'error')
    const value = fc.constantFrom('S', 'other', issuer, `${issuer}/`, '', 'access_denied')
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 5 }), fc.boolean(), (pairs, advertised) => {
        const parameters = new URLSearchParams(pairs)
        expect(ours(parameters, advertised) && !theirs(parameters, advertised)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['state=S&code=C', false],
    [`state=S&code=C&iss=${issuer}`, true],
    [`state=S&code=C&iss=${issuer}`, false],
  ])('%s is taken by both, iss advertised: %s', (query, advertised) => {
    const parameters = new URLSearchParams(query)
    expect([ours(parameters, advertised), theirs(parameters, advertised)]).toEqual([true, true])
  })
})
