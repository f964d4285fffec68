import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type Provider from 'oidc-provider'
import type { ClientMetadata, Configuration } from 'oidc-provider'
import { type ExtensionGrants, registerExtensionGrants } from './extension-grants.js'
import { createMemoryRecords } from './memory-adapter.js'
import { muteProviderNotices } from './quiet.js'

/** What a configured `oidc-provider` needs to be told. */
export interface ProviderSettings {
  readonly issuer: string
  /** Asked for each token. */
  readonly accessTokenTtlSeconds: () => number
  readonly clients: readonly ClientMetadata[]
  readonly scopes: readonly string[]
  /** What an authorization request without `scope` is taken to ask for. */
  readonly defaultScope: string | undefined
  /** Whether every authorization request has to be pushed first (RFC 9126). */
  readonly requirePushed: boolean
  /** Whether devices can be authorized (RFC 8628). */
  readonly devices: boolean
  /** Whether a proof of possession needs a nonce (RFC 9449 section 8). */
  readonly proofNonces: boolean
  /** The client metadata documents that can be had from the web, by URL; undefined: no such document is taken. */
  readonly metadataDocuments: ReadonlyMap<string, string> | undefined
  readonly extensions: ExtensionGrants
  /** Whether tokens can be had for a resource. */
  acceptsResource(resource: string): boolean
}

/** A configured `oidc-provider`, not yet listening, and what it could forget. */
export interface ConfiguredProvider {
  readonly provider: Provider
  /** Deletes every record of one model (`Client`, `Session`, `RefreshToken`, ...). */
  forget(model: string): void
}

// The server's own pages load fonts, and it says at each of them that they are not meant for use.
const devicePages = {
  userCodeInputSource: (ctx, form, _out, error) => {
    ctx.body = pageOf('Sign-in', `<p>${error ? 'That code is not right' : 'Enter the code'}</p>${form}`)
  },
  userCodeConfirmSource: (ctx, form, client, _device, userCode) => {
    ctx.body = pageOf('Confirm Device', `<p>${escaped(client.clientName)}: ${escaped(userCode)}</p>${form}`)
  },
  successSource: (ctx) => {
    ctx.body = pageOf('Sign-in Success', '<p>You can close this page</p>')
  },
} satisfies NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

const day = 24 * 60 * 60

// One key for the process: making one costs more than starting a server.
let signingKey: Promise<JWK> | undefined
// Loaded late and once, because loading is when it prints.
let loaded: Promise<typeof import('oidc-provider')> | undefined

/** Makes a real authorization server of the kind that an MCP client meets in the field at its best. */
export async function configureProvider(settings: ProviderSettings): Promise<ConfiguredProvider> {
  signingKey ??= generateSigningKey()
  loaded ??= load()
  const [key, module] = await Promise.all([signingKey, loaded])
  const records = createMemoryRecords()

  const configuration: Configuration = {
    adapter: records.adapter,
    jwks: { keys: [{ ...key }] },
    clients: [...settings.clients],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientBasedCORS: () => true,
    cookies: { keys: [crypto.randomUUID()] },
    // Known to the server itself too, not only to the resource: else a registration that names a scope is refused.
    scopes: ['openid', 'offline_access', ...settings.scopes],
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // Without a condition on offline_access, which MCP clients do not ask for.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    pkce: { required: () => true },
    responseTypes: ['code'],
    renderError: (ctx, out) => {
      ctx.type = 'html'
      ctx.body = `<!DOCTYPE html><title>Error</title><h1>${escaped(out.error)}</h1><p>${escaped(out.error_description)}</p>`
    },
    ttl: {
      AccessToken: () => settings.accessTokenTtlSeconds(),
      AuthorizationCode: 60,
      DeviceCode: 600,
      ClientCredentials: settings.accessTokenTtlSeconds,
      Grant: 14 * day,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 14 * day,
      Session: 14 * day,
    },
    // The documents of a test are on no server.
    fetch: async (url, options) => {
      const document = settings.metadataDocuments?.get(String(url))
      if (document === undefined) return fetch(url, options)
      return new Response(document, { headers: { 'content-type': 'application/json' } })
    },
    features: {
      clientCredentials: { enabled: true },
      clientIdMetadataDocument: { enabled: settings.metadataDocuments !== undefined, ack: 'draft-02' },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: settings.requirePushed },
      devInteractions: { enabled: true },
      deviceFlow: { enabled: settings.devices, ...devicePages },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => settings.proofNonces },
      registration: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined as never,
        getResourceServerInfo: (_ctx, resource) => {
          if (!settings.acceptsResource(resource)) throw new module.errors.InvalidTarget()
          return {
            scope: settings.scopes.join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: settings.accessTokenTtlSeconds(),
            jwt: { sign: { alg: 'ES256' } },
          }
        },
      },
    },
  }

  const unmute = muteProviderNotices()
  try {
    const provider = new module.Provider(settings.issuer, configuration)
    await registerExtensionGrants(provider, { ...settings, signingKey: key })
    // It has no default scope of its own: a request without any ends in access_denied, after the consent.
    provider.use((ctx, next) => {
      const { defaultScope: scope } = settings
      if (ctx.path === '/auth' && !ctx.query.scope && !ctx.query.request_uri && scope)
        ctx.query = { ...ctx.query, scope }
      return next()
    })
    return { provider, forget: records.forget }
  } finally {
    unmute()
  }
}

async function load(): Promise<typeof import('oidc-provider')> {
  const unmute = muteProviderNotices()
  try {
    return await import('oidc-provider')
  } finally {
    unmute()
  }
}

async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'test-signing-key' }
}

const pageOf = (title: string, body: string): string => `<!DOCTYPE html><title>${title}</title>${body}`

function escaped(text: string | undefined): string {
  return (text ?? '').replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
