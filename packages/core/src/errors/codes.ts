/** Who can do what about a failure. */
export type Action = 'sign_in' | 'retry_at' | 'contact_operator' | 'fix_configuration'

/** Who can act on a failure, and how. What happened is what the code says. */
export type Remedy = readonly [action: Action, hint: string]

/** Every failure of Countersign. The keys are the type of `code`; in a message they are read as words. */
export const failures = {
  access_denied: ['sign_in', 'Sign in again and approve the request.'],
  account_mismatch: ['sign_in', 'Complete the login with the account that began it.'],
  authorization_rejected: ['contact_operator', 'The authorization server gives its reason in oauth.error.'],
  authorization_response_invalid: ['sign_in', 'Sign in again.'],
  authorization_server_metadata_invalid: ['contact_operator', 'Report this to the operator of the server.'],
  authorization_server_metadata_not_found: [
    'contact_operator',
    'The authorization server must publish metadata at one of these URLs.',
  ],
  browser_not_opened: ['fix_configuration', 'Show the URL in your own way: loopback({ open }) or loopback({ onUrl }).'],
  client_authentication_unsupported: [
    'fix_configuration',
    'Register a client with a token_endpoint_auth_method that the server lists.',
  ],
  client_forgotten: ['sign_in', 'Sign in again: that registers a new client.'],
  client_id_required: [
    'fix_configuration',
    'Register a client there by hand and pass it as client.registered, with its issuer.',
  ],
  connection_conflict: ['fix_configuration', 'Pass the same options to every connect of one URL and account, or none.'],
  connector_closed: ['fix_configuration', 'Create a new connector.'],
  credentials_rejected: ['contact_operator', 'Compare what the token is for with what was asked.'],
  header_rejected: [
    'fix_configuration',
    'Correct the Authorization header, or leave it out so that Countersign signs in.',
  ],
  insufficient_scope: ['sign_in', 'Call authorize({ scope }) with the scope that is missing.'],
  interaction_pending: ['sign_in', 'The login goes on. Send the request again when it is done.'],
  interaction_required: ['sign_in', 'Call authorize() or beginAuthorization() where a person can act.'],
  issuer_mismatch: [
    'contact_operator',
    'Nothing was sent. The operator must correct the issuer; compatibility.trustIssuer allows a known difference.',
  ],
  issuer_not_expected: ['fix_configuration', 'Allow the issuer in allowedIssuers if it is the right one.'],
  login_cancelled: ['sign_in', 'Sign in again.'],
  login_not_found: ['sign_in', 'The login has expired, is complete, or is in another store. Sign in again.'],
  login_timeout: ['sign_in', 'Sign in again; loginTimeoutMs is how long a login waits.'],
  network_error: ['retry_at', 'Check the network and the address, then try again.'],
  options_invalid: ['fix_configuration', 'Correct this option.'],
  pkce_unsupported: [
    'contact_operator',
    'The server must list S256; compatibility.assumePkceS256 allows one that leaves the member out.',
  ],
  redirect_refused: [
    'contact_operator',
    'Configure the URL that it redirects to: credentials never follow a redirect.',
  ],
  refresh_outcome_unknown: ['retry_at', 'Try again later: the login is kept.'],
  refresh_pending: ['retry_at', 'Send the request again in a moment.'],
  registration_invalid: [
    'contact_operator',
    'Register a client there by hand and pass it as client.registered, with its issuer.',
  ],
  registration_rejected: [
    'fix_configuration',
    'Register a client there by hand and pass it as client.registered, with its issuer.',
  ],
  request_aborted: ['retry_at', 'The caller gave it up.'],
  request_not_replayable: ['retry_at', 'Send the request again; a body of text or bytes can be sent twice by itself.'],
  request_timeout: ['retry_at', 'Try again later; requestTimeoutMs is how long a request may take.'],
  resource_metadata_invalid: ['contact_operator', 'Report this to the operator of the server.'],
  resource_metadata_not_found: [
    'contact_operator',
    'The MCP server must publish metadata at one of these URLs. One without OAuth needs its token in the Authorization header.',
  ],
  resource_mismatch: ['contact_operator', 'The operator must correct the resource in the metadata.'],
  response_too_large: ['contact_operator', 'Report this to the operator of the server.'],
  server_unavailable: ['retry_at', 'Try again later: nothing that was granted is lost.'],
  state_mismatch: [
    'sign_in',
    'Keep the state of beginAuthorization in the session and pass it to completeAuthorization.',
  ],
  store_unavailable: ['fix_configuration', 'Check this store, or choose another.'],
  token_request_rejected: ['sign_in', 'Sign in again.'],
  token_response_invalid: ['contact_operator', 'Report this to the operator of the server.'],
  unexpected: ['contact_operator', 'This is a defect of Countersign: please report it with this message.'],
  url_not_allowed: [
    'contact_operator',
    'OAuth uses https URLs, or http on loopback, and no private address behind a public one.',
  ],
  user_agent_unsuitable: ['fix_configuration', 'Configure a user agent for a grant that the server supports.'],
} as const

/** The closed union of error codes. */
export type ErrorCode = keyof typeof failures

/** Looking a code up; that it compiles shows that every entry is complete. */
export const remedyOf = (code: ErrorCode): Remedy => failures[code]
