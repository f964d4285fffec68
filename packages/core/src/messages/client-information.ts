import { type Parsed, parseJsonObject, readDocument } from './parsed.js'

/** A client as one authorization server knows it. */
export interface Client {
  readonly client_id: string
  readonly client_secret?: string
  /** Milliseconds since the epoch; absent: never. */
  readonly client_secret_expires_at?: number
  /** The one method that is used with this client (RFC 7591 section 2). */
  readonly token_endpoint_auth_method: string
  /** How it became known: by hand, as the URL of its metadata document, by RFC 7591. */
  readonly origin: 'registered' | 'metadata_document' | 'dynamic'
  /** The redirect URI it was registered with. */
  readonly redirect_uri?: string
}

/** What a registration answered (RFC 7591 section 3.2.1). It counts, whatever was asked for. */
export interface ClientInformation {
  readonly client_id: string
  readonly client_secret?: string
  /** Milliseconds since the epoch; absent: never, for which the wire has 0. */
  readonly client_secret_expires_at?: number
  readonly token_endpoint_auth_method?: string
  readonly redirect_uris?: readonly string[]
  readonly scope?: string
}

const OPTIONAL = {
  client_secret: 'string',
  client_secret_expires_at: 'seconds',
  token_endpoint_auth_method: 'string',
  redirect_uris: 'list',
  scope: 'scope',
} as const

/** Reads a client information response (RFC 7591 section 3.2.1). */
export function parseClientInformation(text: string): Parsed<ClientInformation> {
  const read = readDocument(parseJsonObject(text), 'client_id', OPTIONAL)
  if ('invalid' in read) return read
  const { client_secret_expires_at: seconds, ...value } = read.value
  const expires = value.client_secret && seconds ? { client_secret_expires_at: seconds * 1000 } : {}
  return { value: { ...value, ...expires }, tolerated: read.tolerated }
}
