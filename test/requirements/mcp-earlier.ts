import type { Specification } from './requirement.js'

/** What revision 2025-11-25 asks beside 2026-07-28. */
export const mcp20251125 = {
  title: 'MCP 2025-11-25: authorization',
  url: 'https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization',
  requirements: {
    'every-request-of-a-session': {
      level: 'MUST',
      at: 'token-requirements',
      says: 'The token is sent again with every request of a session.',
    },
  },
} as const satisfies Specification

/** What revision 2025-06-18 asks beside the later ones. */
export const mcp20250618 = {
  title: 'MCP 2025-06-18: authorization',
  url: 'https://modelcontextprotocol.io/specification/2025-06-18/basic/authorization',
  requirements: {
    'oauth-metadata': {
      level: 'MUST',
      at: 'server-metadata-discovery',
      says: 'The endpoints come from OAuth authorization server metadata.',
    },
    dynamic: {
      level: 'SHOULD',
      at: 'dynamic-client-registration',
      says: 'Dynamic client registration is supported.',
    },
  },
} as const satisfies Specification

/** What revision 2025-03-26 asks, which knows no protected resource metadata: the server is its own authorization server. */
export const mcp20250326 = {
  title: 'MCP 2025-03-26: authorization',
  url: 'https://modelcontextprotocol.io/specification/2025-03-26/basic/authorization',
  requirements: {
    'authorization-base-url': {
      level: 'MUST',
      at: 'authorization-base-url',
      says: 'Without protected resource metadata, authorization server metadata is at the root of the server’s origin.',
    },
    'default-endpoints': {
      level: 'MUST',
      at: 'fallbacks-for-servers-without-metadata-discovery',
      says: 'Without any metadata, the endpoints are /authorize, /token and /register of the server’s origin.',
    },
    'metadata-before-defaults': {
      level: 'MUST',
      at: 'fallbacks-for-servers-without-metadata-discovery',
      says: 'Metadata is looked for before the default paths are used.',
    },
    'protocol-version-header': {
      level: 'SHOULD',
      at: 'server-metadata-discovery-headers',
      says: 'Requests for metadata carry MCP-Protocol-Version.',
      declined:
        'Discovery does not know which version the MCP client will speak, and in a browser the header would cost a preflight that many servers refuse.',
    },
    'token-rotation': {
      level: 'SHOULD',
      at: 'implementation-requirements',
      says: 'Rotated tokens are followed.',
    },
  },
} as const satisfies Specification
