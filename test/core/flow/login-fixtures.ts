import type { Attempt, Granted, Request } from '../../../packages/core/src/flow/attempt.js'
import type { Client } from '../../../packages/core/src/messages/client-information.js'
import type { Tokens } from '../../../packages/core/src/messages/token-response.js'
import type { PendingDevice } from '../../../packages/core/src/steps/authorize-device.js'
import type { PendingRedirect } from '../../../packages/core/src/steps/prepare.js'
import type { Target } from '../../../packages/core/src/steps/target.js'

// One login, in all the parts that both machines are shown with.

export const request: Request = { url: 'https://rs.example/mcp', by: 'person', scope: 'read' }
export const unattended: Request = { ...request, by: 'credentials' }

export const target: Target = {
  resource: 'https://rs.example/mcp',
  issuer: 'https://as.example',
  token_endpoint: 'https://as.example/token',
  authorization_endpoint: 'https://as.example/authorize',
  iss_parameter: true,
  client_id_metadata_document_supported: false,
}

export const client: Client = { client_id: 'c', token_endpoint_auth_method: 'none', origin: 'dynamic' }

export const redirect: PendingRedirect = {
  kind: 'redirect',
  state: 'S',
  code_verifier: 'v',
  redirect_uri: 'http://127.0.0.1:1/callback',
  authorization_url: 'https://as.example/authorize?state=S',
  expires_at: 600_000,
}

export const device: PendingDevice = {
  kind: 'device',
  id: 'i',
  device_code: 'd',
  user_code: 'U',
  verification_uri: 'https://as.example/device',
  interval: 5,
  expires_at: 600_000,
}

export const tokens: Tokens = {
  access_token: 'a1',
  token_type: 'Bearer',
  refresh_token: 'r1',
  scope: 'read',
  issued_at: 0,
  expires_at: 300_000,
}

export const granted: Granted = { request, target, client, tokens }

export const error = { code: 'access_denied', step: 'authorize', message: 'no' } as const

/** Every state of an attempt, and both sides of what a state depends on. */
export const attempts = {
  discovering: { phase: 'discovering', request },
  registering: { phase: 'registering', request, target },
  'registering, nobody there': { phase: 'registering', request: unattended, target },
  acquiring: { phase: 'acquiring', request: unattended, target, client },
  'acquiring, no client': { phase: 'acquiring', request: unattended, target },
  preparing: { phase: 'preparing', request, target, client },
  authorizing: { phase: 'authorizing', request, target, client, pending: redirect },
  exchanging: { phase: 'exchanging', request, target, client, pending: redirect, code: 'k' },
  'exchanging, registered twice': {
    phase: 'exchanging',
    request: { ...request, registered_again: true },
    target,
    client,
    pending: redirect,
    code: 'k',
  },
  polling: { phase: 'polling', request, target, client, pending: device },
  granted: { phase: 'granted', granted },
  failed: { phase: 'failed', request, error },
} as const satisfies Record<string, Attempt>
