import { parseUrl } from '../primitives/parse-url.js'
import { addressClass } from '../primitives/url-policy.js'
import { applicationType } from './client-metadata.js'
import { DEVICE_CODE } from './device-authorization.js'
import { type Invalid, isFilled, kindOf, parseJsonObject } from './parsed.js'

/** What a host publishes of itself, so that it needs no registration (OAuth Client ID Metadata Document). */
export interface ClientMetadataDocumentInput {
  /** Where the document will be: an https URL with a path. It is the `client_id`, to the letter. */
  readonly url: string
  /** What a consent page shows. */
  readonly clientName: string
  /** Every redirect URI that is used. On loopback the port may differ (RFC 8252 section 7.3). */
  readonly redirectUris: readonly string[]
  /** Whether it also signs in by codes that the person enters elsewhere (RFC 8628). Default false. */
  readonly devices?: boolean
  /** URL of a page about this client. Default: not said. */
  readonly clientUri?: string
  /** URL of its logo. Default: not said. */
  readonly logoUri?: string
  /** All that the client may ever ask for, space-separated. Default: not said. */
  readonly scope?: string
  /** The public keys of a client that authenticates by `privateKeyJwt()`, or the URL of them. Default: a public client. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** In place of `jwks`: where the keys are. */
  readonly jwksUri?: string
}

/**
 * The document to publish at `url`, as `application/json`. `client.metadataUrl` is then all that a connector needs.
 *
 * @returns plain data; what is wrong with it, `checkClientMetadataDocument` says
 */
export function clientMetadataDocument(input: ClientMetadataDocumentInput): Readonly<Record<string, unknown>> {
  const { url, clientName, redirectUris, devices, clientUri, logoUri, scope, jwks, jwksUri } = input
  const members = {
    client_id: url,
    client_name: clientName,
    client_uri: clientUri,
    logo_uri: logoUri,
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token', ...(devices ? [DEVICE_CODE] : [])],
    response_types: ['code'],
    token_endpoint_auth_method: jwks || jwksUri ? 'private_key_jwt' : 'none',
    application_type: applicationType(redirectUris),
    scope,
    jwks,
    jwks_uri: jwksUri,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** Something that makes an authorization server refuse a document: the member, and what it should have been. */
export interface DocumentProblem extends Invalid {
  /** Its name; `(url)` or `(document)` where it is none of the members. */
  readonly member: string
}

/**
 * What is wrong with a document, whoever wrote it: as it was fetched from `url`, in JSON, or as plain data.
 *
 * @returns nothing where a server should take it
 */
export function checkClientMetadataDocument(url: string, document: string | object): readonly DocumentProblem[] {
  const read = parseJsonObject(typeof document === 'string' ? document : JSON.stringify(document))
  if ('invalid' in read) return [{ member: '(document)', ...read.invalid }]
  const { value } = read
  const problems: DocumentProblem[] = []
  const want = (good: boolean, member: string, expected: string, received = show(value[member])): void => {
    if (!good) problems.push({ member, expected, received })
  }

  want(isDocumentUrl(url), '(url)', 'https with a path, without fragment, user information and dot segments', url)
  want(value.client_id === url, 'client_id', url)
  want(isFilled(value.client_name), 'client_name', 'a name for the consent page')
  const uris: readonly unknown[] = Array.isArray(value.redirect_uris) ? value.redirect_uris : []
  want(uris.length > 0, 'redirect_uris', 'at least one redirect URI')
  for (const uri of uris)
    want(isRedirectUri(uri), 'redirect_uris', 'https, http on loopback, or a private scheme', show(uri))
  for (const member of ['client_secret', 'client_secret_expires_at']) {
    want(value[member] === undefined, member, 'none: the document is public', 'a member')
  }
  const method = value.token_endpoint_auth_method
  want(method === 'none' || method === 'private_key_jwt', 'token_endpoint_auth_method', 'none or private_key_jwt')
  const keys = value.jwks_uri ?? value.jwks
  want(method !== 'private_key_jwt' || keys !== undefined, 'jwks', 'the public keys, or jwks_uri')
  want(!/"(d|k)":/.test(JSON.stringify(value.jwks) ?? ''), 'jwks', 'public keys alone', 'a private or secret one')
  for (const [member, needed] of [
    ['grant_types', 'authorization_code'],
    ['response_types', 'code'],
  ] as const) {
    const listed = value[member]
    want(listed === undefined || (Array.isArray(listed) && listed.includes(needed)), member, needed)
  }
  return problems
}

const show = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : kindOf(value))

/** Servers compare it as text, so nothing in it may be written in two ways. */
function isDocumentUrl(text: string): boolean {
  const url = parseUrl(text)
  const plain = url?.protocol === 'https:' && url.pathname !== '/' && url.username === '' && url.password === ''
  const [path = ''] = text.split('?')
  return plain && !text.includes('#') && !/\/(\.|%2e){1,2}(\/|$)/i.test(path)
}

function isRedirectUri(uri: unknown): boolean {
  const url = typeof uri === 'string' && !uri.includes('#') ? parseUrl(uri) : undefined
  if (url === undefined) return false
  return url.protocol !== 'http:' || addressClass(url.hostname) === 'loopback'
}
