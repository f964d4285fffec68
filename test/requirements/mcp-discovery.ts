import type { Specification } from './requirement.js'

export const mcpDiscovery = {
  title: 'MCP 2026-07-28: authorization server discovery',
  url: 'https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/authorization-server-discovery',
  requirements: {
    'state-per-issuer': {
      level: 'MUST',
      at: 'authorization-server-location',
      says: 'Client credentials and tokens are kept apart for each authorization server.',
    },
    'credentials-not-shared': {
      level: 'MUST',
      at: 'authorization-server-location',
      says: 'The credentials of one authorization server are not tried at another.',
    },
    'header-first': {
      level: 'MUST',
      at: 'protected-resource-metadata-discovery-requirements',
      says: 'The metadata is at the URL that the challenge names, where it names one.',
    },
    'well-known-order': {
      level: 'MUST',
      at: 'protected-resource-metadata-discovery-requirements',
      says: 'Otherwise the well-known URIs are asked: the one of the path, then the one of the root.',
    },
    'parse-challenge': {
      level: 'MUST',
      at: 'protected-resource-metadata-discovery-requirements',
      says: 'WWW-Authenticate is parsed, and a 401 leads to what it asks for.',
    },
    'several-endpoints': {
      level: 'MUST',
      at: 'authorization-server-metadata-discovery',
      says: 'Several well-known endpoints are tried for authorization server metadata.',
    },
    'order-with-path': {
      level: 'MUST',
      at: 'authorization-server-metadata-discovery',
      says: 'For an issuer with a path: OAuth inserted, OpenID inserted, OpenID appended, in this order.',
    },
    'order-without-path': {
      level: 'MUST',
      at: 'authorization-server-metadata-discovery',
      says: 'For an issuer without a path: OAuth, then OpenID.',
    },
    'another-issuer': {
      level: 'MUST',
      at: 'authorization-server-metadata-discovery',
      says: 'Metadata that names another issuer than the one it was asked of is not used.',
    },
    'issuer-identical': {
      level: 'MUST',
      at: 'authorization-server-metadata-discovery',
      says: 'The issuer in the metadata is identical to the one that the well-known URL was made of.',
      declined:
        'One slash after an issuer without a path may differ, with the diagnostic `issuer_trailing_slash`: many servers list themselves with it and publish themselves without. The document’s own string is then the one that iss is compared with. `strict` refuses it. Another difference needs `compatibility.trustIssuer`, by name.',
    },
  },
} as const satisfies Specification
