/** Who can do what about a failure. */
export type Action = 'sign_in' | 'retry_at' | 'contact_operator' | 'fix_configuration'

/** Who can act on a failure, and how. What happened is what the code says. */
export type Remedy = readonly [action: Action, hint: string]

/**
 * Every failure of Countersign, under who can act on it: its own hint, or an empty text where the usual one says enough. The
 * names are the type of `code`; in a message they are read as words.
 */
export const failures = {
  sign_in: {
    access_denied: 'Sign in again and approve the request.',
    account_mismatch: 'Complete the login with the account that began it.',
    authorization_response_invalid: '',
    client_forgotten: 'Sign in again: that registers a new client.',
    insufficient_scope: 'Call authorize({ scope }) with the missing scope.',
    interaction_pending: 'The login goes on. Send the request again when it is done.',
    interaction_required: 'Call authorize() or beginAuthorization() where a person can act.',
    login_cancelled: '',
    login_not_found: 'It has expired, is complete, or is in another store. Sign in again.',
    login_timeout: 'Sign in again; loginTimeoutMs is how long a login waits.',
    state_mismatch: 'Keep the state of beginAuthorization in the session and give it to completeAuthorization.',
    token_request_rejected: '',
  },
  retry_at: {
    network_error: 'Check the network and the address, then try again.',
    refresh_outcome_unknown: 'Try again later: the login is kept.',
    refresh_pending: 'Send the request again in a moment.',
    request_aborted: 'Its caller gave it up.',
    request_not_replayable: 'Send the request again, best with a body of text or bytes.',
    request_timeout: 'Try again later; requestTimeoutMs is how long a request may take.',
    server_unavailable: 'Try again later: nothing that was granted is lost.',
  },
  fix_configuration: {
    browser_not_opened:
      'Show it in your own way, loopback({ open }) or loopback({ onUrl }), or elsewhere: deviceCode(), paste().',
    client_authentication_unsupported: 'Register a client with a token_endpoint_auth_method that the server lists.',
    client_id_required: 'Register a client by hand and pass it as client.registered, with its issuer.',
    connection_conflict: 'Connect with the same options every time, or with none.',
    connector_closed: 'Create a new connector.',
    dpop_required: 'Pass dpop: dpop(), or dpop({ required: true }) where only the authorization server asks for it.',
    header_rejected: 'Correct the Authorization header, or leave it out so that Countersign signs in.',
    insecure_context: 'Browsers have it for https alone, and for http on loopback: serve the page so.',
    issuer_not_expected: 'If it is the right one, add it to allowedIssuers, or its own client to client.registered.',
    options_invalid: '',
    registration_rejected: 'Pass compatibility.initialAccessToken, or register a client by hand as client.registered.',
    store_unavailable: 'Check this store, or choose another.',
    user_agent_unsuitable: 'Configure a user agent for a grant that the server supports.',
  },
  contact_operator: {
    authorization_rejected: '',
    authorization_server_metadata_invalid: '',
    authorization_server_metadata_not_found: 'The authorization server must publish metadata at one of these URLs.',
    credentials_rejected: 'Compare what the token is for with what was asked.',
    cross_origin_blocked: 'The operator must add it; until then fetch or oauthFetch can go through a backend of yours.',
    issuer_mismatch: 'The issuer must be corrected; compatibility.trustIssuer allows a known difference.',
    pkce_unsupported: 'It must list S256; compatibility.assumePkceS256 allows a server that lists nothing.',
    redirect_refused: 'Credentials follow no redirect: configure the URL that it leads to.',
    registration_invalid: 'Register a client by hand and pass it as client.registered, with its issuer.',
    resource_metadata_invalid: '',
    resource_metadata_not_found:
      'The server must publish metadata at one of these URLs, and let a page see its challenge (Access-Control-Expose-Headers: WWW-Authenticate). One without OAuth needs its token in the Authorization header.',
    resource_mismatch:
      'The operator must correct the resource in the metadata; http in place of https means that X-Forwarded-Proto is ignored.',
    response_too_large: '',
    token_response_invalid: '',
    unexpected: 'This is a defect of Countersign: please report it with this message.',
    url_not_allowed: 'OAuth uses https, or http on loopback; allowPrivate allows a private address.',
  },
} as const

const USUAL: Readonly<Record<Action, string>> = {
  sign_in: 'Sign in again.',
  retry_at: 'Try again later.',
  fix_configuration: 'Correct this option.',
  contact_operator: 'Report this to the operator of the server.',
}

const ACTIONS = Object.keys(failures) as readonly Action[]

/** The closed union of error codes. */
export type ErrorCode = { [A in Action]: keyof (typeof failures)[A] }[Action]

/** Who can act on a failure, and how. */
export function remedyOf(code: ErrorCode): Remedy {
  const hints: Readonly<Record<Action, Readonly<Record<string, string>>>> = failures
  const action = ACTIONS.find((name) => code in failures[name]) ?? 'contact_operator'
  return [action, hints[action][code] || USUAL[action]]
}
