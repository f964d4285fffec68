import type { Specification } from './requirement.js'

export const mcpRegistration = {
  title: 'MCP 2026-07-28: client registration',
  url: 'https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/client-registration',
  requirements: {
    priority: {
      level: 'SHOULD',
      at: 'client-registration',
      says: 'A client registered by hand comes first, then the metadata document where the server supports it, then dynamic registration.',
    },
    'ask-a-person': {
      level: 'SHOULD',
      at: 'client-registration',
      says: 'Where none of these is possible, a person is asked for a client.',
    },
    'metadata-documents': {
      level: 'SHOULD',
      at: 'client-id-metadata-documents',
      says: 'Client ID Metadata Documents are supported.',
    },
    'document-hosted': {
      level: 'MUST',
      at: 'implementation-requirements',
      says: 'The host publishes the document at an https URL.',
      declined: 'Publishing it is the host’s part; only an https URL is taken as `client.metadataUrl`.',
    },
    'document-url': {
      level: 'MUST',
      at: 'implementation-requirements',
      says: 'The client_id is an https URL with a path.',
    },
    'document-members': {
      level: 'MUST',
      at: 'implementation-requirements',
      says: 'The document has client_id, client_name and redirect_uris.',
    },
    'document-client-id': {
      level: 'MUST',
      at: 'implementation-requirements',
      says: 'The client_id in the document is its URL, to the letter.',
    },
    'document-private-key': {
      level: 'MAY',
      at: 'implementation-requirements',
      says: 'A client with a metadata document authenticates by private_key_jwt.',
    },
    'document-capability': {
      level: 'SHOULD',
      at: 'advertising-cimd-support',
      says: 'The document is used only where the server says that it supports it.',
    },
    'document-fallback': {
      level: 'MAY',
      at: 'advertising-cimd-support',
      says: 'Elsewhere another way to a client_id is taken.',
    },
    'by-hand': {
      level: 'SHOULD',
      at: 'pre-registration',
      says: 'A host can give a client that was registered by hand.',
    },
    dynamic: {
      level: 'MAY',
      at: 'dynamic-client-registration',
      says: 'Dynamic client registration is supported.',
    },
    'application-type': {
      level: 'MUST',
      at: 'application-type-and-redirect-uri-constraints',
      says: 'A registration says its application_type.',
    },
    'application-type-native': {
      level: 'SHOULD',
      at: 'application-type-and-redirect-uri-constraints',
      says: 'What runs on the person’s machine is native.',
    },
    'application-type-web': {
      level: 'SHOULD',
      at: 'application-type-and-redirect-uri-constraints',
      says: 'What is served from elsewhere is web.',
    },
    'refused-registration': {
      level: 'MUST',
      at: 'application-type-and-redirect-uri-constraints',
      says: 'A registration that is refused for its redirect URIs is coped with.',
    },
    'refusal-explained': {
      level: 'SHOULD',
      at: 'application-type-and-redirect-uri-constraints',
      says: 'A refused registration ends in an error that says why.',
    },
    'registration-adjusted': {
      level: 'MAY',
      at: 'application-type-and-redirect-uri-constraints',
      says: 'It is tried again with another application_type or other redirect URIs.',
    },
    'bound-to-issuer': {
      level: 'MUST',
      at: 'authorization-server-binding',
      says: 'Client credentials are kept by the issuer that gave them.',
    },
    'not-reused': {
      level: 'MUST',
      at: 'authorization-server-binding',
      says: 'When the authorization server changes, no client credentials of the one before are used.',
    },
    'registered-anew': {
      level: 'MUST',
      at: 'authorization-server-binding',
      says: 'The client is registered anew at the new authorization server.',
    },
    'by-hand-mismatch': {
      level: 'SHOULD',
      at: 'authorization-server-binding',
      says: 'A client registered by hand for another issuer is an error, not an attempt.',
    },
  },
} as const satisfies Specification
