/**
 * What discovery found, and the scope that was chosen from it. Kept with everything that it led to: a secret or a token
 * only ever goes back to this issuer and these endpoints.
 */
export interface Target {
  /** The protected resource's own identifier, verbatim (RFC 9728 section 2, RFC 8707 section 2). */
  readonly resource: string
  /** What is sent as `resource` on authorization, token and refresh requests; absent where the host omits it for this server. */
  readonly resource_parameter?: string
  /** The authorization server's own identifier, verbatim (RFC 8414 section 2). */
  readonly issuer: string
  readonly token_endpoint: string
  readonly authorization_endpoint?: string
  /** Where authorization requests have to be pushed first (RFC 9126); absent where they need not be. */
  readonly pushed_authorization_request_endpoint?: string
  readonly device_authorization_endpoint?: string
  readonly registration_endpoint?: string
  readonly revocation_endpoint?: string
  readonly token_endpoint_auth_methods_supported?: readonly string[]
  readonly client_id_metadata_document_supported?: boolean
  /** Whether an authorization response must carry `iss` (RFC 9207 section 3). */
  readonly iss_parameter?: boolean
  readonly scope?: string
  /** What proofs of possession are signed with (RFC 9449); absent where none are sent. */
  readonly dpop_signing_alg?: string
  /** The key of the attempt, as the `Keys` port knows it: whatever is had from this token endpoint is had with it. */
  readonly dpop_key_id?: string
  /** Its thumbprint (RFC 7638). */
  readonly dpop_jkt?: string
  /** What the places answered where metadata should be, if the endpoints are the default ones of revision 2025-03-26. */
  readonly assumed?: string
}
