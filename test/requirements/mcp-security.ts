import type { Specification } from './requirement.js'

/** What the page asks again about `resource` and `iss` stands with the overview. */
export const mcpSecurity = {
  title: 'MCP 2026-07-28: security considerations',
  url: 'https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations',
  requirements: {
    'secure-storage': {
      level: 'MUST',
      at: 'token-theft',
      says: 'Tokens are stored securely.',
    },
    https: {
      level: 'MUST',
      at: 'communication-security',
      says: 'Every endpoint of an authorization server is https; only loopback may be cleartext.',
    },
    'redirect-uris': {
      level: 'MUST',
      at: 'communication-security',
      says: 'Redirect URIs are loopback or https.',
      declined:
        'A host that carries the person itself may come with a private-use scheme, which RFC 8252 section 7.1 has for applications of a phone. Cleartext off loopback is refused always.',
    },
    pkce: {
      level: 'MUST',
      at: 'authorization-code-protection',
      says: 'Every login uses PKCE.',
    },
    'pkce-verified': {
      level: 'MUST',
      at: 'authorization-code-protection',
      says: 'That the server supports PKCE is verified before a login goes on.',
      declined:
        'A server that provably has no metadata at all has nowhere to say so: with the default endpoints of revision 2025-03-26, which requires PKCE of all, S256 is used, with the diagnostic `endpoints_assumed`. `strict` refuses it.',
    },
    s256: {
      level: 'MUST',
      at: 'authorization-code-protection',
      says: 'The challenge method is S256.',
    },
    'pkce-in-oauth-metadata': {
      level: 'MUST',
      at: 'authorization-code-protection',
      says: 'OAuth metadata without code_challenge_methods_supported ends the login. (A host may vouch for one server, by name.)',
    },
    'pkce-in-openid-metadata': {
      level: 'MUST',
      at: 'authorization-code-protection',
      says: 'So does OpenID provider metadata without it.',
    },
    'redirect-uris-registered': {
      level: 'MUST',
      at: 'open-redirection',
      says: 'Redirect URIs are registered with the authorization server.',
    },
    state: {
      level: 'SHOULD',
      at: 'open-redirection',
      says: 'A login has a state, and a response without it or with another one is discarded.',
    },
  },
} as const satisfies Specification
