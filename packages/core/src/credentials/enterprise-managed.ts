import { CountersignError } from '../errors/error.js'
import type { TokenResponse } from '../messages/token-response.js'
import { type AcquireContext, type Acquisition, JWT_BEARER, presented } from './acquisition.js'
import { type ConfidentialClient, readyClient } from './client-credentials.js'
import type { Secret } from './registered-client.js'
import { TOKEN_EXCHANGE, tokenType } from './token-types.js'

/** What the identity provider gave when the person signed in there: one of these. Each may be a supplier. */
export type IdentityAssertion =
  | { readonly idToken: Secret; readonly refreshToken?: never; readonly samlAssertion?: never }
  | { readonly refreshToken: Secret; readonly idToken?: never; readonly samlAssertion?: never }
  /** In base64url (RFC 8693 section 3). */
  | { readonly samlAssertion: Secret; readonly idToken?: never; readonly refreshToken?: never }

/** The host's client at the identity provider. */
export type IdentityProvider = ConfidentialClient & {
  readonly issuer: string
  /** Default: the issuer's metadata says. */
  readonly tokenEndpoint?: string
}

/** A client at the MCP server's authorization server, and what proves the person's identity to the provider that it trusts. */
export type EnterpriseManagedOptions = ConfidentialClient &
  IdentityAssertion & { readonly identityProvider: IdentityProvider }

/**
 * Access that an organisation decides about at its identity provider (MCP extension
 * `io.modelcontextprotocol/enterprise-managed-authorization`): the person's identity assertion is exchanged there for one that is
 * made for this authorization server (ID-JAG, RFC 8693), and that for an access token (RFC 7523). Nobody is sent to a page.
 *
 * @throws CountersignError `options_invalid` unless there is exactly one identity assertion
 */
export function byEnterprise(options: EnterpriseManagedOptions): Acquisition {
  const { identityProvider, idToken, refreshToken, samlAssertion, ...own } = options
  const { tokenEndpoint: endpoint, ...idp } = identityProvider
  const given = Object.entries({ id_token: idToken, refresh_token: refreshToken, saml2: samlAssertion } as const)
  const [subject, another] = given.flatMap(([name, secret]) => (secret === undefined ? [] : [{ name, secret }]))
  if (subject === undefined || another !== undefined) {
    throw new CountersignError('options_invalid', {
      step: 'connect',
      expected: 'one of idToken, refreshToken and samlAssertion',
      received: subject ? 'several' : 'none',
    })
  }
  const client = readyClient(own)
  const issuedTokenType = tokenType('id-jag')
  const at = { client: { ...readyClient(idp), issuer: idp.issuer }, endpoint, issuedTokenType }
  const subject_token_type = tokenType(subject.name as 'id_token')

  /** At the identity provider, for the authorization server by its issuer. */
  const assertionFor = (context: AcquireContext): Promise<TokenResponse> =>
    presented(context, subject.secret, (subject_token) => {
      const { issuer: audience, resource, scope } = context
      const wanted = { requested_token_type: issuedTokenType, audience, resource, scope }
      return context.request({ grant_type: TOKEN_EXCHANGE, ...wanted, subject_token, subject_token_type }, at)
    })

  return {
    issuer: client.issuer,
    client,
    acquire: async (context) => {
      const redeem = ({ access_token }: TokenResponse): Promise<TokenResponse> =>
        context.request({ grant_type: JWT_BEARER, assertion: access_token, scope: context.scope })
      const first = await assertionFor(context)
      try {
        return await redeem(first)
      } catch (error) {
        // It is good once, and not for long: another one is made for the second try, which is the last.
        if (!CountersignError.is(error) || error.oauth?.error !== 'invalid_grant') throw error
        return redeem(await assertionFor(context))
      }
    },
  }
}
