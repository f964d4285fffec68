import type { Specification } from './requirement.js'

/**
 * The overview page. A sentence that only points at another page or document has no row of its own, and what two pages ask in
 * the same words stands once.
 */
export const mcp = {
  title: 'MCP 2026-07-28: authorization',
  url: 'https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization',
  requirements: {
    'http-transports': {
      level: 'SHOULD',
      at: 'protocol-requirements',
      says: 'A client that speaks HTTP to a server follows this specification.',
    },
    'not-on-stdio': {
      level: 'SHOULD',
      at: 'protocol-requirements',
      says: 'A client that speaks stdio does not follow it, and takes credentials from the environment: only http(s) URLs connect.',
    },
    'other-transports': {
      level: 'MUST',
      at: 'protocol-requirements',
      says: 'A client that speaks another transport follows the good practice of that protocol.',
      declined: 'No other transport than HTTP is spoken.',
    },
    'use-resource-metadata': {
      level: 'MUST',
      at: 'overview',
      says: 'The authorization server is found by protected resource metadata.',
      declined:
        'A server that provably has none, and whose challenge names none, is signed in to as in revision 2025-03-26, with the diagnostic `resource_metadata_absent`. `strict` refuses it.',
    },
    'both-metadata': {
      level: 'MUST',
      at: 'overview',
      says: 'OAuth authorization server metadata and OpenID Connect Discovery are both read.',
    },
    'client-id-first': {
      level: 'MUST',
      at: 'client-registration',
      says: 'There is a client_id, by one of the three ways, before a login begins.',
    },
    'no-scope-relation': {
      level: 'MUST',
      at: 'scope-selection-strategy',
      says: 'Nothing is concluded from how the scope of a challenge relates to scopes_supported.',
    },
    'challenge-scope': {
      level: 'MUST',
      at: 'scope-selection-strategy',
      says: 'The scope that a challenge names is what the request at hand needs.',
    },
    'keep-granted-scope': {
      level: 'SHOULD',
      at: 'scope-selection-strategy',
      says: 'Who authorizes again asks for the scope of the challenge beside what was granted before.',
    },
    'least-privilege': {
      level: 'SHOULD',
      at: 'scope-selection-strategy',
      says: 'No scope is asked for that what is to be done does not need.',
    },
    'scope-order': {
      level: 'SHOULD',
      at: 'scope-selection-strategy',
      says: 'The first login asks for the scope of the challenge, else for all of scopes_supported, else for none.',
    },
    'record-issuer': {
      level: 'MUST',
      at: 'authorization-response-validation',
      says: 'The issuer of the validated metadata is recorded with the verifier and the state before the person is sent off.',
    },
    'validate-iss': {
      level: 'MUST',
      at: 'authorization-response-validation',
      says: 'A response is checked for its iss before its code goes anywhere: present, it must be the recorded issuer; absent, it must not have been announced.',
    },
    'iss-not-normalized': {
      level: 'MUST',
      at: 'authorization-response-validation',
      says: 'iss is compared as a string: neither case, default port, trailing slash nor percent-encoding is evened out.',
    },
    'iss-of-errors': {
      level: 'MUST',
      at: 'authorization-response-validation',
      says: 'Of an error response with another iss, neither error, error_description nor error_uri is acted on or shown.',
    },
    'resource-in-requests': {
      level: 'MUST',
      at: 'resource-parameter-implementation',
      says: 'Authorization requests and token requests carry resource.',
    },
    'resource-is-the-server': {
      level: 'MUST',
      at: 'resource-parameter-implementation',
      says: 'resource identifies the MCP server that the token is for.',
    },
    'resource-canonical': {
      level: 'MUST',
      at: 'resource-parameter-implementation',
      says: 'resource is the canonical URI of the server: what its own metadata calls it.',
    },
    'resource-most-specific': {
      level: 'SHOULD',
      at: 'canonical-server-uri',
      says: 'resource is the most specific URI that the server gives itself.',
    },
    'resource-upper-case': {
      level: 'SHOULD',
      at: 'canonical-server-uri',
      says: 'Upper case in the scheme and host of a resource is accepted.',
    },
    'resource-without-slash': {
      level: 'SHOULD',
      at: 'canonical-server-uri',
      says: 'A resource URI has no slash at its end, unless that means something.',
      declined:
        'The server’s own spelling goes back to it to the letter: authorization servers compare it as a string, and only the server knows whether its slash means something.',
    },
    'resource-always': {
      level: 'MUST',
      at: 'canonical-server-uri',
      says: 'resource is sent whether or not the authorization server supports it. (A host may leave it out for one server, by name.)',
    },
    'authorization-header': {
      level: 'MUST',
      at: 'token-requirements',
      says: 'The token goes in the Authorization header.',
    },
    'every-request': {
      level: 'MUST',
      at: 'token-requirements',
      says: 'Every HTTP request to the server carries it.',
    },
    'token-not-in-query': {
      level: 'MUST',
      at: 'token-requirements',
      says: 'No token is in the query of a URL.',
    },
    'only-its-own-tokens': {
      level: 'MUST',
      at: 'token-handling',
      says: 'A server gets no token but those that its own authorization server issued for it.',
    },
    'refresh-token-confidential': {
      level: 'MUST',
      at: 'refresh-tokens',
      says: 'Refresh tokens are kept secret, on the way and where they are stored.',
    },
    'refresh-grant-type': {
      level: 'SHOULD',
      at: 'refresh-tokens',
      says: 'The client metadata lists refresh_token among the grant_types.',
    },
    'offline-access': {
      level: 'MAY',
      at: 'refresh-tokens',
      says: 'offline_access is asked for where the authorization server lists it.',
    },
    'refresh-token-not-assumed': {
      level: 'MUST',
      at: 'refresh-tokens',
      says: 'A login works without a refresh token.',
    },
    'step-up': {
      level: 'SHOULD',
      at: 'step-up-authorization-flow',
      says: 'An error for want of scope leads to a token with more scope, or is dealt with in another fitting way.',
    },
    'step-up-for-a-person': {
      level: 'SHOULD',
      at: 'step-up-authorization-flow',
      says: 'On behalf of a person, the step-up is attempted.',
    },
    'step-up-for-itself': {
      level: 'MAY',
      at: 'step-up-authorization-flow',
      says: 'A client that acts for itself attempts it, or gives up.',
    },
    'retry-limits': {
      level: 'SHOULD',
      at: 'step-up-authorization-flow',
      says: 'Retries are limited.',
    },
    'track-step-ups': {
      level: 'SHOULD',
      at: 'step-up-authorization-flow',
      says: 'What was tried for more scope is remembered, so that the same failure is not repeated.',
    },
  },
} as const satisfies Specification
