import type { Specification } from './requirement.js'

/** What OAuth itself asks of the client of an authorization code and of a refresh token. */
export const rfc6749 = {
  title: 'RFC 6749: OAuth 2.0',
  url: 'https://www.rfc-editor.org/rfc/rfc6749.html',
  requirements: {
    'one-authentication': {
      level: 'MUST',
      at: '2.3',
      says: 'A request authenticates the client by one method, not more.',
    },
    'secret-not-in-url': {
      level: 'MUST',
      at: '2.3.1',
      says: 'The secret of a client is never in a URL.',
    },
    'parameters-once': {
      level: 'MUST',
      at: '3.1',
      says: 'No parameter is in a request twice.',
    },
    'endpoint-query': {
      level: 'MUST',
      at: '3.1',
      says: 'The query of an authorization endpoint is kept when parameters are added.',
    },
    'token-post': {
      level: 'MUST',
      at: '3.2',
      says: 'Token requests are POST.',
    },
    'client-authenticated': {
      level: 'MUST',
      at: '3.2.1',
      says: 'A client with a secret authenticates at the token endpoint, a public one names itself.',
    },
    'ignore-unknown-response': {
      level: 'MUST',
      at: '4.1.2',
      says: 'Parameters of an authorization response that nobody knows are ignored.',
    },
    'code-once': {
      level: 'MUST',
      at: '4.1.2',
      says: 'A code is sent once.',
    },
    'redirect-uri-again': {
      level: 'MUST',
      at: '4.1.3',
      says: 'The token request repeats the redirect_uri of the authorization request.',
    },
    'ignore-unknown-tokens': {
      level: 'MUST',
      at: '5.1',
      says: 'Members of a token response that nobody knows are ignored.',
    },
    'refresh-scope': {
      level: 'MUST',
      at: '6',
      says: 'A refresh asks for no scope that was not granted.',
    },
    'refresh-replaced': {
      level: 'MUST',
      at: '6',
      says: 'A new refresh token takes the place of the old one, which is discarded.',
    },
    'token-type': {
      level: 'MUST',
      at: '7.1',
      says: 'A token whose type is not understood is not used.',
    },
    'certificates-checked': {
      level: 'MUST',
      at: '10.9',
      says: 'The certificate of the authorization server is checked.',
    },
    csrf: {
      level: 'MUST',
      at: '10.12',
      says: 'The redirect URI is protected against forged responses.',
    },
    'state-unguessable': {
      level: 'MUST',
      at: '10.12',
      says: 'The value that protects it cannot be guessed (section 10.10: a chance of at most 2^-128).',
    },
    'sanitize-input': {
      level: 'MUST',
      at: '10.14',
      says: 'What was received is made harmless before it is used or shown, state and redirect URI above all.',
    },
  },
} as const satisfies Specification

export const rfc6750 = {
  title: 'RFC 6750: bearer tokens',
  url: 'https://www.rfc-editor.org/rfc/rfc6750.html',
  requirements: {
    'one-way': {
      level: 'MUST',
      at: '2',
      says: 'A request carries its token in one way only.',
    },
    safeguarded: {
      level: 'MUST',
      at: '5.3',
      says: 'A token does not reach anybody it is not meant for.',
    },
    tls: {
      level: 'MUST',
      at: '5.3',
      says: 'Requests with a token are https; only loopback may be cleartext.',
    },
    certificates: {
      level: 'MUST',
      at: '5.3',
      says: 'The certificate chain is validated.',
    },
    'not-in-cookies': {
      level: 'MUST',
      at: '5.3',
      says: 'No token is kept in a cookie.',
    },
    'not-in-urls': {
      level: 'SHOULD',
      at: '5.3',
      says: 'No token is in a URL.',
    },
  },
} as const satisfies Specification

export const rfc7009 = {
  title: 'RFC 7009: revocation',
  url: 'https://www.rfc-editor.org/rfc/rfc7009.html',
  requirements: {
    https: {
      level: 'MUST',
      at: '2',
      says: 'A revocation goes to an https URL only.',
    },
    authenticated: {
      level: 'MUST',
      at: '2.1',
      says: 'A revocation names the token, and carries the client’s authentication.',
    },
    'still-there-on-503': {
      level: 'MUST',
      at: '2.2.1',
      says: 'After a 503 the token is taken to be still good, and revoking it is tried again.',
    },
    hint: {
      level: 'MAY',
      at: '2.1',
      says: 'A revocation says which kind of token it is.',
    },
  },
} as const satisfies Specification
