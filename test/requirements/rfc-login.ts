import type { Specification } from './requirement.js'

export const rfc7591 = {
  title: 'RFC 7591: dynamic client registration',
  url: 'https://www.rfc-editor.org/rfc/rfc7591.html',
  requirements: {
    'redirect-uris': {
      level: 'MUST',
      at: '2',
      says: 'A client that is redirected to registers its redirect URIs.',
    },
    'json-post': {
      level: 'MUST',
      at: '3.1',
      says: 'A registration is a POST of JSON.',
    },
    'initial-access-token': {
      level: 'MAY',
      at: '3',
      says: 'It carries an initial access token where the host has one.',
    },
  },
} as const satisfies Specification

export const rfc7636 = {
  title: 'RFC 7636: PKCE',
  url: 'https://www.rfc-editor.org/rfc/rfc7636.html',
  requirements: {
    verifier: {
      level: 'MUST',
      at: '4.1',
      says: 'Each request has a verifier of its own: 43 to 128 unreserved characters.',
    },
    entropy: {
      level: 'SHOULD',
      at: '7.1',
      says: 'It has 256 bits of entropy.',
    },
    s256: {
      level: 'MUST',
      at: '4.2',
      says: 'A client that can do S256 does.',
    },
    'verifier-sent': {
      level: 'MUST',
      at: '4.5',
      says: 'The verifier goes to the token endpoint with the code.',
    },
    'no-downgrade': {
      level: 'MUST',
      at: '7.2',
      says: 'It never falls back to plain.',
    },
  },
} as const satisfies Specification

export const rfc8252 = {
  title: 'RFC 8252: native apps',
  url: 'https://www.rfc-editor.org/rfc/rfc8252.html',
  requirements: {
    'external-browser': {
      level: 'MUST',
      at: '8.12',
      says: 'The person’s own browser shows the page, never one inside the application.',
    },
    pkce: {
      level: 'MUST',
      at: '6',
      says: 'Public native clients use PKCE.',
    },
    'both-stacks': {
      level: 'SHOULD',
      at: '7.3',
      says: 'The listener takes IPv4 and IPv6, whichever is there.',
    },
    'loopback-literal': {
      level: 'SHOULD',
      at: '8.3',
      says: 'The redirect URI has the loopback address, not localhost. (A host may choose localhost for one server.)',
    },
    'port-open-briefly': {
      level: 'SHOULD',
      at: '8.3',
      says: 'The port is open from the start of a login to its response, on loopback only.',
    },
    'state-checked': {
      level: 'SHOULD',
      at: '8.9',
      says: 'A login has an unguessable state, and responses that match no login under way are refused.',
    },
    'redirect-uri-stored': {
      level: 'MUST',
      at: '8.10',
      says: 'The redirect URI is stored with the login, and a response is taken on exactly that URI.',
    },
    'redirect-uri-per-server': {
      level: 'MUST',
      at: '8.10',
      says: 'Each authorization server has a redirect URI of its own.',
      declined:
        'RFC 9700 section 4.4.2.2 wants this only where nothing better is there: iss (RFC 9207) tells servers apart, each login’s state belongs to one issuer, and a code goes only to the endpoint of that issuer.',
    },
    'own-port': {
      level: 'SHOULD',
      at: 'appendix-B.5',
      says: 'No other program can listen on the port of a login.',
    },
  },
} as const satisfies Specification

export const rfc8707 = {
  title: 'RFC 8707: resource indicators',
  url: 'https://www.rfc-editor.org/rfc/rfc8707.html',
  requirements: {
    absolute: {
      level: 'MUST',
      at: '2',
      says: 'resource is an absolute URI without a fragment.',
    },
    'no-query': {
      level: 'SHOULD',
      at: '2',
      says: 'It has no query, unless the server’s own identifier has one.',
    },
    refresh: {
      level: 'MAY',
      at: '2.2',
      says: 'A refresh names the resource again.',
    },
  },
} as const satisfies Specification
