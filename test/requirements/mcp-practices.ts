import type { Specification } from './requirement.js'

/** Rows for clients; what the page asks of servers, proxies with an identity of their own, and operators is not theirs. */
export const mcpPractices = {
  title: 'MCP 2026-07-28: security best practices',
  url: 'https://modelcontextprotocol.io/docs/2026-07-28/tutorials/security/security_best_practices',
  requirements: {
    ssrf: {
      level: 'MUST',
      at: 'server-side-request-forgery-ssrf',
      says: 'URLs that come from a server do not make the client reach into the network it runs in.',
    },
    'ssrf-https': {
      level: 'SHOULD',
      at: 'server-side-request-forgery-ssrf',
      says: 'OAuth URLs are https, but for loopback.',
    },
    'ssrf-private-addresses': {
      level: 'SHOULD',
      at: 'server-side-request-forgery-ssrf',
      says: 'Requests to private, loopback and link-local addresses are blocked, however they are written.',
    },
    'ssrf-redirects': {
      level: 'SHOULD',
      at: 'server-side-request-forgery-ssrf',
      says: 'The target of a redirect is held to the same rules.',
    },
    'one-click-consent': {
      level: 'MUST',
      at: 'local-mcp-server-compromise',
      says: 'A local server is started only after the person has seen the exact command and agreed.',
      declined: 'No local server is configured or started.',
    },
    'one-click-guardrails': {
      level: 'SHOULD',
      at: 'local-mcp-server-compromise',
      says: 'The commands of local servers are checked and sandboxed.',
      declined: 'No local server is configured or started.',
    },
    'authorization-url-http': {
      level: 'MUST',
      at: 'oauth-authorization-url-validation',
      says: 'Only https URLs, and http on loopback, are opened as authorization URLs.',
    },
    'authorization-url-dangerous': {
      level: 'MUST',
      at: 'oauth-authorization-url-validation',
      says: 'javascript:, data:, file:, vbscript: and the like are refused.',
    },
    'authorization-url-allowlist': {
      level: 'SHOULD',
      at: 'oauth-authorization-url-validation',
      says: 'Schemes are allowed by a list, not forbidden by one.',
    },
    'no-shell': {
      level: 'MUST',
      at: 'oauth-authorization-url-validation',
      says: 'No URL becomes part of a shell’s command line.',
    },
    'no-powershell': {
      level: 'MUST',
      at: 'oauth-authorization-url-validation',
      says: 'Neither cmd.exe, sh nor PowerShell opens a URL.',
      declined:
        'On Windows the package `open` starts PowerShell, and hands it the URL as one quoted string, its own quotes doubled, in an encoded command. Only https URLs (http on loopback) come that far, serialised anew. `loopback({ open })` takes another opener.',
    },
    'platform-opener': {
      level: 'SHOULD',
      at: 'oauth-authorization-url-validation',
      says: 'URLs are opened by the platform’s opener, without a shell.',
    },
    'content-security-policy': {
      level: 'SHOULD',
      at: 'oauth-authorization-url-validation',
      says: 'Pages that are served have a Content Security Policy that runs no script.',
    },
    'sanitize-urls': {
      level: 'MUST',
      at: 'oauth-authorization-url-validation',
      says: 'Every URL that a server sent is parsed and checked before it is used.',
    },
    'proxy-controls': {
      level: 'SHOULD',
      at: 'stdio-transport-security-in-proxy-scenarios',
      says: 'A proxy service that starts stdio servers sandboxes, logs and authorizes that.',
      declined: 'No process of a server is started.',
    },
    'proxy-defence': {
      level: 'SHOULD',
      at: 'stdio-transport-security-in-proxy-scenarios',
      says: 'A client of such a proxy isolates it.',
      declined: 'No process of a server is started.',
    },
    'scope-union': {
      level: 'SHOULD',
      at: 'scope-minimization',
      says: 'Who authorizes again asks for the union of what was requested before and what the challenge names.',
    },
  },
} as const satisfies Specification
