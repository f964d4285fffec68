import type { Specification } from './requirement.js'

export const rfc8628 = {
  title: 'RFC 8628: device authorization grant',
  url: 'https://www.rfc-editor.org/rfc/rfc8628.html',
  requirements: {
    authenticated: {
      level: 'MUST',
      at: '3.1',
      says: 'The device authorization request authenticates the client as at the token endpoint.',
    },
    interval: {
      level: 'MUST',
      at: '3.2',
      says: 'Without an interval, five seconds pass between polls.',
    },
    shown: {
      level: 'MUST',
      at: '3.3.1',
      says: 'The person is shown the code, also where a complete URI is offered in another way.',
    },
    'slow-down': {
      level: 'MUST',
      at: '3.5',
      says: 'slow_down adds five seconds to this interval and all after it.',
    },
    'back-off': {
      level: 'MUST',
      at: '3.5',
      says: 'After a connection that timed out, polls are further apart.',
    },
    stop: {
      level: 'MUST',
      at: '3.5',
      says: 'Any other error than authorization_pending and slow_down ends the polling.',
    },
    'no-restart': {
      level: 'SHOULD',
      at: '3.5',
      says: 'After expired_token nothing starts again before the person wants it.',
    },
  },
} as const satisfies Specification

export const rfc9449 = {
  title: 'RFC 9449: DPoP',
  url: 'https://www.rfc-editor.org/rfc/rfc9449.html',
  requirements: {
    'https-always': {
      level: 'MUST',
      at: '2',
      says: 'Proofs do not take the place of https.',
    },
    header: {
      level: 'MUST',
      at: '4.2',
      says: 'A proof has typ dpop+jwt, an asymmetric alg, and the public key alone as jwk.',
    },
    claims: {
      level: 'MUST',
      at: '4.2',
      says: 'A proof has jti, htm, htu without query and fragment, and iat.',
    },
    unique: {
      level: 'MUST',
      at: '4.2',
      says: 'Every request has a proof with a jti of its own.',
    },
    ath: {
      level: 'MUST',
      at: '4.2',
      says: 'Beside a token, the proof has the token’s hash.',
    },
    nonce: {
      level: 'MUST',
      at: '4.2',
      says: 'Where the server gave a nonce, the proof has it.',
    },
    'token-requests': {
      level: 'MUST',
      at: '5',
      says: 'Every token request for a bound token carries a proof, whatever the grant.',
    },
    'refresh-key': {
      level: 'MUST',
      at: '5',
      says: 'A refresh proves the key that the refresh token was obtained with.',
    },
    downgraded: {
      level: 'MUST',
      at: '5',
      says: 'Where the host requires bound tokens, an answer of another token_type is discarded.',
    },
    scheme: {
      level: 'MUST',
      at: '7.1',
      says: 'A bound token goes out with the scheme DPoP and a proof.',
    },
    'nonce-latest': {
      level: 'MUST',
      at: '8.2',
      says: 'The latest nonce of a server is in every request to it until another one comes.',
    },
  },
} as const satisfies Specification

export const rfc7523 = {
  title: 'RFC 7523: JWT assertions',
  url: 'https://www.rfc-editor.org/rfc/rfc7523.html',
  requirements: {
    'client-assertion': {
      level: 'MUST',
      at: '2.2',
      says: 'A client that authenticates by JWT sends one assertion, and names its type.',
    },
    claims: {
      level: 'MUST',
      at: '3',
      says: 'An assertion has iss, sub, aud and exp; of a client, iss and sub are its client_id.',
    },
    'jwt-bearer': {
      level: 'MUST',
      at: '2.1',
      says: 'An authorization grant by JWT has the grant type jwt-bearer and one assertion.',
    },
  },
} as const satisfies Specification

export const rfc8693 = {
  title: 'RFC 8693: token exchange',
  url: 'https://www.rfc-editor.org/rfc/rfc8693.html',
  requirements: {
    'subject-token': {
      level: 'MUST',
      at: '2.1',
      says: 'An exchange names the grant type, the subject token and its type.',
    },
    'issued-type': {
      level: 'MUST',
      at: '2.2.1',
      says: 'The answer says which type of token was issued, and it is the one that was asked for.',
    },
  },
} as const satisfies Specification
