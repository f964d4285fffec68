import { createRemoteJWKSet, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC, ResourceServer } from 'oidc-provider'
import { createProofVerifier } from './proof.js'

/** What the grants beyond OAuth's own trust. */
export interface ExtensionGrants {
  /** Whose assertions are good for tokens: issuers, with the place of their keys. */
  readonly trustedIssuers: Readonly<Record<string, string>>
}

export interface ExtensionSettings {
  readonly issuer: string
  readonly accessTokenTtlSeconds: () => number
  readonly scopes: readonly string[]
  readonly extensions: ExtensionGrants
  readonly signingKey: JWK
  acceptsResource(resource: string): boolean
}

type Parameters = Readonly<Record<string, unknown>>

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

/**
 * Adds two grants at `oidc-provider`'s extension point: token exchange (RFC 8693), of an access token for a narrower one and of
 * an ID token for an identity assertion (ID-JAG), and JWT bearer (RFC 7523), of a trusted issuer's assertion for an access token.
 * An assertion that comes twice is refused.
 */
export async function registerExtensionGrants(provider: Provider, settings: ExtensionSettings): Promise<void> {
  const { errors } = await import('oidc-provider')
  const key = await importJWK(settings.signingKey)
  const seen = new Set<unknown>()
  const verifyProof = createProofVerifier()

  const verified = async (jwt: string, issuers: Readonly<Record<string, string>>): Promise<JWTPayload> => {
    const claims: { iss?: string } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString() || '{}')
    const keys = issuers[claims.iss ?? '']
    if (keys === undefined) throw new errors.InvalidGrant(`no trust in ${claims.iss}`)
    const options = { issuer: claims.iss ?? '', requiredClaims: ['sub', 'exp', 'aud'] }
    return jwtVerify(jwt, createRemoteJWKSet(new URL(keys)), options).then(
      ({ payload }) => payload,
      (cause: Error) => {
        throw new errors.InvalidGrant(cause.message)
      },
    )
  }

  const issue = async (
    ctx: KoaContextWithOIDC,
    accountId: string,
    resource: unknown,
    scope: string,
  ): Promise<object> => {
    const { client } = ctx.oidc
    if (client === undefined) throw new errors.InvalidClient('no client')
    if (typeof resource !== 'string' || !settings.acceptsResource(resource)) throw new errors.InvalidTarget()
    const info: ResourceServer = {
      scope: settings.scopes.join(' '),
      audience: resource,
      accessTokenFormat: 'jwt',
      accessTokenTTL: settings.accessTokenTtlSeconds(),
      jwt: { sign: { alg: 'ES256' } },
    }
    const { AccessToken } = provider
    const token = new AccessToken({ client, accountId, scope, gty: String(ctx.oidc.params?.grant_type) } as never)
    token.resourceServer = new provider.ResourceServer(resource, info)
    const jkt = await proven(ctx)
    if (jkt !== undefined) token.setThumbprint('jkt', jkt)
    const access_token = await token.save()
    return { access_token, token_type: jkt === undefined ? 'Bearer' : 'DPoP', expires_in: token.expiration, scope }
  }

  /** The key that a request proves, if it proves one (RFC 9449 section 5). */
  const proven = async (ctx: KoaContextWithOIDC): Promise<string | undefined> => {
    const proof = ctx.get('DPoP')
    if (proof === '') return undefined
    const verdict = await verifyProof({ method: ctx.method, url: `${settings.issuer}/token`, proof })
    if (verdict.kind === 'bad') throw new errors.InvalidDpopProof(verdict.reason)
    return verdict.jkt
  }

  /** What is asked for, of what may be had. */
  const narrowed = (asked: unknown, most: readonly string[]): string => {
    const wanted = typeof asked === 'string' ? asked.split(' ') : most
    if (wanted.some((scope) => !most.includes(scope)))
      throw new errors.InvalidScope('more than there is', String(asked))
    return wanted.join(' ')
  }

  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const { client } = ctx.oidc
      const params: Parameters = { ...ctx.oidc.params }
      const { subject_token, subject_token_type, requested_token_type, audience, resource, scope } = params
      const own = { [settings.issuer]: `${settings.issuer}/jwks` }
      const subject = await verified(String(subject_token), own)
      if (requested_token_type === ID_JAG) {
        if (subject_token_type !== ID_TOKEN) throw new errors.InvalidRequest('subject_token_type')
        if (typeof audience !== 'string') throw new errors.InvalidTarget()
        const client_id = client?.clientId
        const jag = new SignJWT({ client_id, resource, scope })
          .setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt', kid: 'test-signing-key' })
          .setIssuer(settings.issuer)
          .setSubject(subject.sub ?? '')
          .setAudience(audience)
          .setJti(crypto.randomUUID())
          .setIssuedAt()
          .setExpirationTime('5m')
        const access_token = await jag.sign(key)
        ctx.body = { access_token, issued_token_type: ID_JAG, token_type: 'N_A', expires_in: 300 }
        return
      }
      if (subject_token_type !== ACCESS_TOKEN) throw new errors.InvalidRequest('subject_token_type')
      const granted = narrowed(scope, String(subject.scope).split(' '))
      const issued = await issue(ctx, subject.sub ?? '', resource ?? subject.aud, granted)
      ctx.body = { ...issued, issued_token_type: ACCESS_TOKEN }
    },
    [
      'audience',
      'resource',
      'scope',
      'subject_token',
      'subject_token_type',
      'requested_token_type',
      'actor_token',
      'actor_token_type',
    ],
  )

  provider.registerGrantType(
    JWT_BEARER,
    async (ctx) => {
      const { client } = ctx.oidc
      const params: Parameters = { ...ctx.oidc.params }
      const claims = await verified(String(params.assertion), settings.extensions.trustedIssuers)
      if (claims.aud !== settings.issuer) throw new errors.InvalidGrant(`aud is ${claims.aud}`)
      if (claims.client_id !== undefined && claims.client_id !== client?.clientId) {
        throw new errors.InvalidGrant('client_id is that of another client')
      }
      if (seen.has(claims.jti)) throw new errors.InvalidGrant('the assertion was used before')
      seen.add(claims.jti)
      ctx.body = await issue(
        ctx,
        claims.sub ?? '',
        claims.resource ?? params.resource,
        narrowed(params.scope, settings.scopes),
      )
    },
    ['assertion', 'scope', 'resource'],
  )
}
