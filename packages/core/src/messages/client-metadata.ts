import { parseUrl } from '../primitives/parse-url.js'
import { addressClass } from '../primitives/url-policy.js'

/** What a client says of itself when it registers (RFC 7591 section 2). */
export interface ClientMetadataInput {
  readonly client_name?: string | undefined
  readonly client_uri?: string | undefined
  readonly logo_uri?: string | undefined
  /** Empty for a client that is never redirected to. */
  readonly redirect_uris: readonly string[]
  readonly scope?: string | undefined
  readonly grant_types: readonly string[]
  readonly token_endpoint_auth_method: string
  readonly application_type: 'native' | 'web'
}

// Nothing but client metadata goes in, whatever else the object holds.
const MEMBERS: string[] = [
  'client_name',
  'client_uri',
  'logo_uri',
  'redirect_uris',
  'response_types',
  'grant_types',
  'token_endpoint_auth_method',
  'application_type',
  'scope',
]

/** The body of a registration request (RFC 7591 section 3.1), in JSON. */
export function buildClientMetadata(input: ClientMetadataInput): string {
  // Left out it would mean ["code"], which a client without redirect URIs cannot have.
  const response_types = input.redirect_uris.length > 0 ? ['code'] : []
  return JSON.stringify({ ...input, response_types }, MEMBERS)
}

const isNative = (redirect_uri: string): boolean => {
  const { protocol, hostname = '' } = parseUrl(redirect_uri) ?? {}
  return protocol === 'http:' ? addressClass(hostname) === 'loopback' : protocol !== 'https:'
}

/**
 * The `application_type` that goes with redirect URIs (OpenID Connect Registration section 2): native for http on loopback,
 * private-use schemes and no redirect URI at all.
 */
export const applicationType = (redirect_uris: readonly string[]): 'native' | 'web' =>
  redirect_uris.length === 0 || redirect_uris.some(isNative) ? 'native' : 'web'
