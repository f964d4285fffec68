/** Who can do what about a failure. */
export type Action = 'sign_in' | 'retry_at' | 'contact_operator' | 'fix_configuration'

/** Who can act on a failure, and how. What happened is what the code says. */
export type Remedy = readonly [action: Action, hint: string]

/**
 * Every failure of Countersign, under who can act on it: its own hint, or an empty text where the usual one says enough. The
 * names are the type of `code`; in a message they are read as words.
 */
const failures = {
  sign_in: {
    access_denied: 'Sign in again and approve the request.',
    account_mismatch: 'Use the account that began the login.',
    authorization_response_invalid: '',
    client_forgotten: '',
    insufficient_scope: 'Call authorize({ scope }) with the missing scope.',
    interaction_pending: 'Send the request again when the login is done.',
    interaction_required: 'Call authorize() or beginAuthorization() where a person can act.',
    login_cancelled: '',
    login_not_found: 'It has expired, is complete, or is in another store. Sign in again.',
    login_timeout: 'Sign in again, within loginTimeoutMs.',
    state_mismatch: 'Keep the state of beginAuthorization in the session for completeAuthorization.',
    token_request_rejected: '',
  },
  retry_at: {
    network_error: 'Check the network and the address.',
    refresh_outcome_unknown: '',
    refresh_pending: '',
    request_aborted: '',
    request_not_replayable: 'Send the request again, or with a body of text or bytes.',
    request_timeout: 'Try again later, or raise requestTimeoutMs.',
    server_unavailable: '',
  },
  fix_configuration: {
    browser_not_opened: 'Show the URL yourself: loopback({ open }) or loopback({ onUrl }).',
    client_authentication_unsupported: 'Register a client with a token_endpoint_auth_method that the server lists.',
    client_id_required: 'Register a client by hand and pass it as client.registered, with its issuer.',
    connection_conflict: 'Connect one URL and account with the same options, or none.',
    connector_closed: 'Create a new connector.',
    header_rejected: 'Correct the Authorization header, or leave it to Countersign.',
    issuer_not_expected: 'Add the issuer to allowedIssuers if it is right.',
    options_invalid: '',
    registration_rejected: 'Register a client by hand and pass it as client.registered, with its issuer.',
    store_unavailable: 'Check this store, or choose another.',
    user_agent_unsuitable: 'Configure a user agent that suits the server.',
  },
  contact_operator: {
    authorization_rejected: '',
    authorization_server_metadata_invalid: '',
    authorization_server_metadata_not_found: '',
    credentials_rejected: '',
    issuer_mismatch: 'The issuer must be corrected; compatibility.trustIssuer allows a known difference.',
    pkce_unsupported: 'The server must list S256; compatibility.assumePkceS256 allows one that lists nothing.',
    redirect_refused: 'Configure the URL that it redirects to.',
    registration_invalid: 'Register a client by hand and pass it as client.registered, with its issuer.',
    resource_metadata_invalid: '',
    resource_metadata_not_found: 'A server without OAuth needs its token in the Authorization header.',
    resource_mismatch: '',
    response_too_large: '',
    token_response_invalid: '',
    unexpected: 'This is a defect of Countersign: please report it.',
    url_not_allowed: 'OAuth needs https, or http on loopback; allowPrivate allows a private address.',
  },
} as const

const USUAL: Readonly<Record<Action, string>> = {
  sign_in: 'Sign in again.',
  retry_at: 'Try again later.',
  fix_configuration: 'Correct this option.',
  contact_operator: 'Report this to the operator of the server.',
}

/** The closed union of error codes. */
export type ErrorCode = { [A in Action]: keyof (typeof failures)[A] }[Action]

/** Who can act on each failure, and how. */
export const remedies: Readonly<Record<ErrorCode, Remedy>> = Object.fromEntries(
  Object.entries(failures).flatMap(([action, hints]) =>
    Object.entries(hints).map(([code, hint]) => [code, [action, hint || USUAL[action as Action]]]),
  ),
) as Record<ErrorCode, never>
