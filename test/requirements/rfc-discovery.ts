import type { Specification } from './requirement.js'

const samePlace =
  'One trailing slash, and a resource that is a path prefix of the server’s URL on its own origin, are tolerated with the diagnostics `resource_trailing_slash` and `resource_is_prefix`: most servers in the field name themselves so. `strict` refuses both. Any other difference is refused always.'

export const rfc9728 = {
  title: 'RFC 9728: protected resource metadata',
  url: 'https://www.rfc-editor.org/rfc/rfc9728.html',
  requirements: {
    get: {
      level: 'MUST',
      at: '3.1',
      says: 'The document is asked for by GET, at the well-known URL.',
    },
    'slash-removed': {
      level: 'MUST',
      at: '3.1',
      says: 'A slash right after the host is removed before the well-known part is inserted.',
    },
    'ignore-unknown': {
      level: 'MUST',
      at: '3.2',
      says: 'Members that are not understood are ignored.',
    },
    'another-resource': {
      level: 'MUST',
      at: '3.3',
      says: 'A document about another resource is not used, whether it was found at a well-known URL or by a challenge.',
    },
    'resource-identical': {
      level: 'MUST',
      at: '3.3',
      says: 'The resource is identical to the identifier that the well-known URL was made of.',
      declined: samePlace,
    },
    'resource-of-the-request': {
      level: 'MUST',
      at: '3.3',
      says: 'The resource of a document that a challenge named is identical to the URL of the request.',
      declined: samePlace,
    },
    'signed-metadata': {
      level: 'MUST',
      at: '3.3',
      says: 'The signature of signed metadata is validated.',
      declined: 'signed_metadata is ignored, which section 2.2 allows.',
    },
    'signed-metadata-ignored': {
      level: 'MAY',
      at: '2.2',
      says: 'signed_metadata is ignored where it is not supported.',
    },
    'changed-metadata': {
      level: 'SHOULD',
      at: '5.2',
      says: 'A new challenge with the URL of metadata leads to the metadata as it is now.',
    },
    'code-points': {
      level: 'MUST',
      at: '6',
      says: 'Strings are compared code point by code point.',
      declined:
        'Scheme and host of a resource are compared without case, as MCP asks, and an empty path equals a slash. All else is compared as it is.',
    },
    'not-normalized': {
      level: 'MUST',
      at: '6',
      says: 'No Unicode normalization is applied.',
    },
    certificates: {
      level: 'MUST',
      at: '7.3',
      says: 'The certificate of the resource is checked.',
    },
    'audience-restricted': {
      level: 'SHOULD',
      at: '7.4',
      says: 'Tokens are asked for with an audience, by resource.',
    },
    'server-side-requests': {
      level: 'SHOULD',
      at: '7.7',
      says: 'An issuer that points into a private network is not followed by a public server’s word.',
    },
  },
} as const satisfies Specification

export const rfc8414 = {
  title: 'RFC 8414: authorization server metadata',
  url: 'https://www.rfc-editor.org/rfc/rfc8414.html',
  requirements: {
    get: {
      level: 'MUST',
      at: '3.1',
      says: 'The document is asked for by GET, at the well-known URL.',
    },
    'slash-removed': {
      level: 'MUST',
      at: '3.1',
      says: 'A slash that ends the issuer is removed before the well-known part is inserted.',
    },
    'another-issuer': {
      level: 'MUST',
      at: '3.3',
      says: 'A document of another issuer is not used.',
    },
    'not-normalized': {
      level: 'MUST',
      at: '4',
      says: 'No Unicode normalization is applied.',
    },
    certificates: {
      level: 'MUST',
      at: '6.1',
      says: 'The certificate of the authorization server is checked.',
    },
  },
} as const satisfies Specification

export const rfc9207 = {
  title: 'RFC 9207: issuer identification',
  url: 'https://www.rfc-editor.org/rfc/rfc9207.html',
  requirements: {
    decoded: {
      level: 'MUST',
      at: '2.4',
      says: 'iss is decoded from the form of the query before it is compared.',
    },
    compared: {
      level: 'MUST',
      at: '2.4',
      says: 'iss is compared with the issuer that the request went to, as a string.',
    },
    mismatch: {
      level: 'MUST',
      at: '2.4',
      says: 'A response with another iss is refused, and its grant goes no further.',
    },
    'mismatched-error': {
      level: 'SHOULD',
      at: '2.4',
      says: 'An error with another iss is not taken for the server’s own.',
    },
    missing: {
      level: 'MUST',
      at: '2.4',
      says: 'A response without iss is refused where the server says that it sends one.',
    },
    unannounced: {
      level: 'SHOULD',
      at: '2.4',
      says: 'A response with iss is discarded where the server does not say that it sends one.',
      declined: 'MCP 2026-07-28 decides this by comparing it: the right issuer is taken, another one refused.',
    },
  },
} as const satisfies Specification
