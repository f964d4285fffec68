/** Who can do what about a failure. */
export type Action = 'sign_in' | 'retry_at' | 'contact_operator' | 'fix_configuration'

export type Entry = readonly [summary: string, action: Action, hint: string]

/** Every failure of Countersign: what happened, who can act, and what to do. The keys are the type of `code`. */
export const failures = {
  access_denied: [
    'the person or the server declined the authorization',
    'sign_in',
    'Sign in again and approve the request.',
  ],
  account_mismatch: [
    'the authorization response belongs to another account',
    'sign_in',
    'Call completeAuthorization with the account that began this login.',
  ],
  authorization_rejected: [
    'the authorization server answered the authorization request with an error',
    'contact_operator',
    'See oauth.error for the reason that the server gives.',
  ],
  authorization_response_invalid: [
    'the authorization response is not usable',
    'sign_in',
    'Start a new login; if it happens again, report it to the operator of the authorization server.',
  ],
  authorization_server_metadata_invalid: [
    'the authorization server metadata is not usable',
    'contact_operator',
    'The operator of the authorization server must correct the document.',
  ],
  authorization_server_metadata_not_found: [
    'no authorization server metadata was found',
    'contact_operator',
    'The authorization server must publish metadata at one of the URLs that were tried.',
  ],
  browser_not_opened: [
    'no browser could be opened',
    'fix_configuration',
    'Use loopback({ open }) or loopback({ onUrl }) to show the URL in your own way.',
  ],
  client_authentication_unsupported: [
    'the authorization server accepts no client authentication method that is available',
    'fix_configuration',
    'Register a client whose token_endpoint_auth_method the server lists.',
  ],
  client_forgotten: [
    'the authorization server does not know a client that it had registered',
    'contact_operator',
    'Sign in again; if it persists, register a client by hand and pass it as client.registered.',
  ],
  client_id_required: [
    'the authorization server registers no clients by itself',
    'fix_configuration',
    'Register a client there and pass it as client.registered with its issuer.',
  ],
  connection_conflict: [
    'this server is already connected with other options',
    'fix_configuration',
    'Pass the same options to every connect of one URL and account, or none.',
  ],
  connector_closed: ['the connector has been closed', 'fix_configuration', 'Create a new connector.'],
  credentials_rejected: [
    'the server rejects the credentials that it was just given',
    'contact_operator',
    'Compare what the token is for with what the server expects.',
  ],
  header_rejected: [
    'the server rejected the Authorization header that the host set itself',
    'fix_configuration',
    'Correct the header, or remove it so that Countersign signs in.',
  ],
  insufficient_scope: [
    'the token does not have the scope that the server asks for',
    'sign_in',
    'Call authorize({ scope }) with the scope that is named.',
  ],
  interaction_pending: [
    'a login is waiting for the person',
    'sign_in',
    'The login goes on; send the request again when it is done.',
  ],
  interaction_required: [
    'a person has to sign in',
    'sign_in',
    'Call authorize() or beginAuthorization() where a person can act.',
  ],
  issuer_mismatch: [
    'the issuer is not the one that was asked',
    'contact_operator',
    'Nothing was sent to it. The operator must correct the issuer; compatibility.trustIssuer pins a known difference.',
  ],
  issuer_not_expected: [
    'discovery leads to an authorization server that is not the configured one',
    'fix_configuration',
    'Correct the issuer named in the configuration, or allow this one in allowedIssuers.',
  ],
  login_cancelled: ['the login was given up', 'sign_in', 'Start a new login.'],
  login_not_found: [
    'no login is waiting for this authorization response',
    'sign_in',
    'It expired, was completed already, or was begun in another store. Start a new login.',
  ],
  login_timeout: [
    'nobody completed the login in time',
    'sign_in',
    'Start a new login; loginTimeoutMs sets how long one waits.',
  ],
  network_error: ['the server could not be reached', 'retry_at', 'Check the network and the address, then try again.'],
  options_invalid: ['an option is not usable', 'fix_configuration', 'Correct the option that is named.'],
  pkce_unsupported: [
    'the authorization server does not say that it supports PKCE with S256',
    'contact_operator',
    'The server must list S256 in code_challenge_methods_supported; compatibility.assumePkceS256 allows one that omits the member.',
  ],
  redirect_refused: [
    'the server redirects where no redirect is followed',
    'contact_operator',
    'Configure the final URL; credentials never follow a redirect.',
  ],
  refresh_outcome_unknown: [
    'it is not known whether the refresh took effect',
    'retry_at',
    'Try again later; the login is kept.',
  ],
  refresh_pending: [
    'another refresh of this login is still under way',
    'retry_at',
    'Send the request again in a moment.',
  ],
  registration_invalid: [
    'the registration response is not usable',
    'contact_operator',
    'The operator must correct the registration endpoint; client.registered avoids it.',
  ],
  registration_rejected: [
    'the authorization server refused to register this client',
    'fix_configuration',
    'Register a client by hand and pass it as client.registered with its issuer.',
  ],
  request_aborted: ['the request was aborted by its caller', 'retry_at', 'Send it again when it is wanted.'],
  request_not_replayable: [
    'the request has to be sent again, but its body can be read only once',
    'retry_at',
    'Send it again, or pass the body as a string or bytes.',
  ],
  request_timeout: [
    'the server did not answer in time',
    'retry_at',
    'Try again later; requestTimeoutMs sets how long one request may take.',
  ],
  resource_metadata_invalid: [
    'the protected resource metadata is not usable',
    'contact_operator',
    'The operator of the MCP server must correct the document.',
  ],
  resource_metadata_not_found: [
    'the server asks for authorization but publishes no protected resource metadata',
    'contact_operator',
    'The MCP server must publish metadata at one of the URLs that were tried; a server without OAuth needs its token in the Authorization header.',
  ],
  resource_mismatch: [
    'the protected resource metadata describes another resource',
    'contact_operator',
    'The operator must correct the resource member.',
  ],
  response_invalid: [
    'the response is not what the protocol asks for',
    'contact_operator',
    'Report it to the operator of the server.',
  ],
  response_too_large: [
    'the response is larger than any valid one',
    'contact_operator',
    'Report it to the operator of the server.',
  ],
  server_unavailable: [
    'the server cannot answer now',
    'retry_at',
    'Try again later; nothing that was granted is lost.',
  ],
  state_mismatch: [
    'the authorization response does not carry the state of this login',
    'sign_in',
    'Keep the state of beginAuthorization in the session of the person and pass it to completeAuthorization.',
  ],
  store_unavailable: [
    'the store cannot be used',
    'fix_configuration',
    'Check the store that is named, or choose another.',
  ],
  token_request_rejected: [
    'the authorization server refused to issue tokens',
    'sign_in',
    'Sign in again; oauth.error has the reason that the server gives.',
  ],
  token_response_invalid: [
    'the token response is not usable',
    'contact_operator',
    'Report it to the operator of the authorization server.',
  ],
  unexpected: [
    'something happened that Countersign does not foresee',
    'contact_operator',
    'This is a defect: please report it with this message.',
  ],
  url_not_allowed: [
    'this URL may not be used',
    'contact_operator',
    'Only https URLs, or http on loopback, are used for OAuth.',
  ],
  user_agent_unsuitable: [
    'no configured user agent can serve this authorization server',
    'fix_configuration',
    'Configure a user agent for a grant that the server supports.',
  ],
} as const

/** The closed union of error codes. */
export type ErrorCode = keyof typeof failures

/** Looking a code up; that it compiles shows that every entry is complete. */
export const failureOf = (code: ErrorCode): Entry => failures[code]
