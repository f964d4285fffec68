// What each code means, for docs/errors.md. `docs-errors.mjs` insists that every code of the sources is here, and no other.

export const errors = {
  access_denied: 'The person declined at the authorization server, or the server declined for them.',
  account_mismatch: 'The authorization response belongs to a login that another account began.',
  authorization_rejected: 'The authorization server answered the authorization request with an error.',
  authorization_response_invalid: 'The authorization response has neither a code nor an error, or repeats a parameter.',
  authorization_server_metadata_invalid: 'The authorization server metadata lacks what a sign-in needs.',
  authorization_server_metadata_not_found:
    'None of the well-known URLs of the issuer has metadata. `received` says what each answered.',
  browser_not_opened: 'No browser could be opened, or the function of the host that shows the page failed.',
  client_authentication_unsupported:
    'The authorization server takes no client authentication method that is available.',
  client_forgotten: 'The authorization server no longer knows a client that it had registered.',
  client_id_required: 'The authorization server registers no clients by itself, and none is configured for it.',
  connection_conflict: '`connect` was called for the same URL and account with other options.',
  connector_closed: 'The connector has been closed.',
  credentials_rejected:
    'The server refuses the token of a login that was just made. For a JWT, `received` names its `aud`, `iss` and `scope`.',
  cross_origin_blocked:
    'A page, and no other host, gets this: the server answered, and the browser keeps the answer from the page, because it lacks what allows this origin to read it (CORS). `expected` names the header. A gateway that answers for its server with an error page of its own looks the same.',
  dpop_required:
    'The server takes none but tokens that are bound to a key (RFC 9449), and nothing here makes such tokens; or a login has them, and `dpop()` is gone from the options.',
  header_rejected:
    'The request carried an `Authorization` header of its own, so OAuth was off, and the server refused it.',
  insufficient_scope:
    'The server asks for scope that the token does not have, and no step-up can bring it: it was asked for already, or refused, or the host has pinned another.',
  interaction_pending:
    'A login is open, and the request has waited `interactionWaitMs` for the person. The login goes on; the request is not sent later.',
  interaction_required:
    'A person has to sign in, and nothing may or can ask them here: by `interaction`, without a user agent, for a background request, after a sign-out, or after a login that they declined. `interaction` has the server, account, scope and reason.',
  issuer_mismatch: 'A metadata document or an authorization response names another issuer than the one that was asked.',
  insecure_context:
    'A page over http, and not on loopback, has no `crypto.subtle`: nothing can be kept or proven in it. Every call says so.',
  issuer_not_expected:
    'Discovery leads to an authorization server that the configuration does not allow: it is not in `allowedIssuers`, or the client of `client.registered` belongs to another.',
  login_cancelled: 'The login was given up: by its caller, by a sign-out, or by closing the connector.',
  login_not_found: 'No login waits for this authorization response: it expired, was completed, or is in another store.',
  login_timeout:
    'Nobody completed the login within `loginTimeoutMs`, or nobody approved a device code before it expired: then no request opens another login by itself.',
  network_error:
    'The server of an OAuth request could not be reached, or the connection broke. For the MCP request itself the caller gets what `fetch` threw.',
  options_invalid: 'An option is not usable. `expected` names it.',
  pkce_unsupported: 'The authorization server does not say that it supports PKCE with S256.',
  redirect_refused: 'The server redirects where no redirect is followed: a POST, another origin, or too many.',
  refresh_outcome_unknown:
    'A refresh may have been committed, and its answer was lost: the connection broke after sending, no answer came in time, a 5xx other than 503 came, or a 2xx without readable tokens. The login is kept; it is tried again from `retryAt` on.',
  refresh_pending:
    'A refresh, here or elsewhere, took longer than one and a half `requestTimeoutMs`. It goes on, and a later request finds it done.',
  registration_invalid: 'The answer to a registration is not usable.',
  registration_rejected: 'The authorization server refused to register this client.',
  request_aborted:
    "The caller aborted while a login or a refresh was waited for. `cause` is its signal's reason. A refresh goes on.",
  request_not_replayable: 'The request has to be sent again, and its body, a stream, can be read only once.',
  request_timeout: 'The server did not answer within `requestTimeoutMs`.',
  resource_metadata_invalid: 'The protected resource metadata deviates, and the connector is `strict`.',
  resource_metadata_not_found:
    'The server asks for authorization, and none of the URLs for its metadata has any. `received` says what each answered.',
  resource_mismatch: 'The protected resource metadata describes another resource.',
  response_too_large: 'The answer is larger than any valid OAuth document: more than 1 MiB.',
  server_unavailable:
    'The server cannot answer now (429, 5xx). Of a refresh: it surely failed before a commit (no connection; 408, 425, 429, 503; another 4xx without an OAuth error; `temporarily_unavailable`, `server_error`), or one failed a moment ago and nothing was sent. The login is kept.',
  state_mismatch: 'The authorization response does not carry the state of this login, or the session brought another.',
  store_unavailable: 'The store threw, or could not be read or written.',
  token_request_rejected:
    'The authorization server refused to issue tokens. `oauth` has its reason. Of a refresh: it refused a client that the host keeps, and the login is kept.',
  token_response_invalid: 'The token response is not usable.',
  unexpected: 'Something that Countersign does not foresee.',
  url_not_allowed:
    'A URL is not https (or http on loopback), carries user information, or points from a public server into a private network.',
  user_agent_unsuitable: 'The user agent that is configured cannot serve this authorization server.',
}

export const diagnostics = {
  access_token_not_revoked: 'Sign-out: the server cannot revoke this kind of access token. It lives until it expires.',
  challenge_invalid: 'The `WWW-Authenticate` header departs from its grammar. What could be read was used.',
  challenge_missing:
    'A 401 without a Bearer challenge, or one that a page cannot see: `Access-Control-Expose-Headers` lacks `WWW-Authenticate`, or the answer allows the page nothing. The well-known URLs are asked instead.',
  challenge_parameter_repeated: 'A parameter of the challenge appears more than once.',
  endpoints_assumed:
    'No authorization server metadata either: `/authorize`, `/token` and `/register` of revision 2025-03-26 are used, or the endpoints of `compatibility.endpoints`.',
  expires_in_not_a_number: '`expires_in` is a string, or no number. A string with a number is read as one.',
  foreign_origin:
    "A request to another origin than the server's went out without the token. Said once for each origin.",
  issuer_trailing_slash:
    'The issuer in the metadata differs from the one that was asked by a slash at the end of the root path.',
  member_invalid: 'A member has another type than the specification gives it, and was ignored.',
  null_member: 'A member is null or empty where it should be absent, and counts as absent.',
  record_discarded: 'A stored record has another format, or is broken. A grant then counts as signed out.',
  record_unreadable:
    'A stored login cannot be read, because of its key or its store, and is left out of `connections()`. It stays as it is.',
  registration_adjusted:
    'The registration was refused for its redirect URIs or `application_type`, and was tried once more: with one redirect URI alone, or as the other type.',
  registration_status: 'Registration answered with another 2xx status than 201.',
  resource_is_prefix: "The `resource` of the metadata is a leading part of the server's path, not the whole.",
  resource_metadata_absent:
    'The server has no protected resource metadata, and names none: as in revision 2025-03-26, its own origin is taken for the authorization server.',
  resource_metadata_missed: 'The URL in the challenge has no metadata. A well-known URL has.',
  resource_metadata_url_invalid: 'The `resource_metadata` of the challenge is no absolute http(s) URL.',
  resource_trailing_slash: "The `resource` of the metadata differs from the server's URL by a trailing slash.",
  revocation_failed: 'Sign-out: the server did not confirm a revocation. The login is forgotten here all the same.',
  revocation_unsupported: 'Sign-out: the server has no revocation endpoint. The token lives until it expires.',
  scope_narrowed: 'The server granted less scope than was asked.',
  token_born_expired: 'The access token had expired when it came. It is used until the server refuses it.',
  token_response_form_encoded: 'The token response is form-encoded, not JSON.',
  token_response_status: 'The token response has another 2xx status than 200.',
  token_type_missing: 'The token response lacks `token_type`. Bearer is assumed.',
  user_agent_end_failed: "The page that shows the outcome of a login failed. The login's own outcome stands.",
  verification_uri_misnamed: 'The device authorization has `verification_url` in place of `verification_uri`.',
  dpop_declined:
    'A token request carried a proof of possession, and the server issued a bearer token. It is used as that; `dpop({ required: true })` refuses it.',
  key_missing:
    'The key that the tokens of a login are bound to is gone, so neither is sent any more: somebody has to sign in. Where it happens at each start, `keys` does not outlive the process.',
  key_not_deleted:
    'The key of a login that is over could not be deleted, or the store of keys not be searched for such. A later login looks again.',
  web_locks_missing:
    'The browser has no Web Locks, so that a tab which is closed during a refresh is not seen to be gone: the others wait as long as its lease lasts.',
}

export const events = {
  acquired: 'Tokens were acquired without a person, and are stored.',
  adopted: 'Another holder of the login had refreshed it: its tokens are used, and nothing was sent.',
  diagnostic: 'A deviation was tolerated. `diagnostic` has it.',
  exchange: 'One OAuth request and its status. `exchange` has it, without query and body.',
  kept: 'A refresh did not succeed, or the store refused to write, and nothing was lost. `error` has the reason.',
  lease_taken_over:
    'The lease of another holder was replaced: it is gone, or had sent nothing for three seconds, or its time was over.',
  lease_waited: 'Somebody else is refreshing the same login: waiting.',
  login_completed: 'The tokens of a login are stored.',
  login_failed: 'A login failed. `error` has the reason.',
  login_started: 'A login begins.',
  login_waiting: 'The page is open, or about to be: a person is asked.',
  login_followed: 'Another process asks the person already: this one waits for what comes of it.',
  login_resumed: 'The process that asked the person is gone or gave up: this one goes on with the page that is open.',
  re_registered: 'A client was registered again: the server had forgotten it, its secret expired, or it lacked scope.',
  refreshed: 'A refresh succeeded, and its tokens are stored.',
  rotation_lost:
    'The refresh token is refused after an answer had been lost: the server had rotated it. A login is needed.',
  signed_out: 'The tokens are forgotten. The revocations follow.',
  spent: 'The refresh token is definitively refused, with an OAuth error. It is never sent again.',
}
