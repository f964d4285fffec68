import { CountersignError } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'
import type { ProtectedResourceMetadata } from '../messages/protected-resource-metadata.js'
import { defined } from '../primitives/defined.js'
import { urlProblem } from '../primitives/url-policy.js'
import { checkPkce } from '../steps/check-support.js'
import { discoverAuthorizationServer } from '../steps/discover-authorization-server.js'
import { discoverResource } from '../steps/discover-resource.js'
import { selectScope } from '../steps/select-scope.js'
import type { Target } from '../steps/target.js'
import type { Request } from './attempt.js'
import type { ConnectionCore } from './connection-core.js'
import { registeredFor } from './secrets.js'

/**
 * The command of `discovering`: the protected resource, then the first of its authorization servers that is usable, one that
 * the host has a client for before the others.
 */
export async function discover(core: ConnectionCore, request: Request, signal: AbortSignal): Promise<Target> {
  const { options, context, url } = core
  const challenge = request.challenge ?? { resource_metadata: [] }
  const resource = await discoverResource(context, url, challenge, signal)
  const issuers = [...resource.authorization_servers].sort((a, b) => rank(core, a) - rank(core, b))
  const { allowedIssuers } = options
  const allowed = issuers.filter((issuer) => allowedIssuers?.includes(issuer) ?? true)
  if (allowed.length === 0) {
    throw new CountersignError('issuer_not_expected', {
      step: 'discover',
      url,
      expected: allowedIssuers?.join(' '),
      received: issuers.join(' '),
    })
  }
  let first: unknown
  for (const issuer of allowed) {
    try {
      const metadata = await authorizationServer(core, issuer, signal)
      return targetOf(core, request, resource, metadata)
    } catch (error) {
      if (!CountersignError.is(error) || signal.aborted) throw error
      first ??= error
    }
  }
  throw first
}

const rank = (core: ConnectionCore, issuer: string): number => (registeredFor(core, issuer)?.issuer === issuer ? 0 : 1)

/** Through the discovery record: a second server of one authorization server asks nothing. */
async function authorizationServer(
  { runtime, options, context }: ConnectionCore,
  issuer: string,
  signal: AbortSignal,
): Promise<AuthorizationServerMetadata> {
  const { trustIssuer } = options.compatibility ?? {}
  const document = trustIssuer?.listed === issuer ? trustIssuer.document : issuer
  const key = await runtime.records.key('discovery', [issuer, document])
  const { raw, value } = await runtime.records.read('discovery', key)
  if (value !== undefined && value.fresh_until > context.clock.now()) return value.metadata
  const found = await discoverAuthorizationServer(context, issuer, document, signal)
  // Losing this race to another process is as good as winning it.
  await runtime.records.write(key, raw, found, found.fresh_until)
  return found.metadata
}

function targetOf(
  { options, url }: ConnectionCore,
  request: Request,
  resource: ProtectedResourceMetadata,
  metadata: AuthorizationServerMetadata,
): Target {
  const { compatibility = {} } = options
  checkPkce(metadata, compatibility.assumePkceS256 ?? false)
  const { endpoints = {} } = compatibility
  const token_endpoint = endpoints.token ?? metadata.token_endpoint
  if (token_endpoint === undefined) {
    throw new CountersignError('authorization_server_metadata_invalid', {
      step: 'discover',
      url: metadata.issuer,
      expected: 'token_endpoint',
      received: 'none',
    })
  }
  const received = urlProblem(token_endpoint, { from: url, allowPrivate: options.allowPrivate })
  if (received !== undefined) {
    throw new CountersignError('url_not_allowed', { step: 'discover', url: token_endpoint, received })
  }
  const asked = compatibility.resource
  const resource_parameter = asked === undefined ? resource.resource : 'value' in asked ? asked.value : undefined
  const scope = selectScope({
    pinned: options.scope,
    required: request.scope,
    challenge: request.challenge?.scope,
    resource: resource.scopes_supported,
    authorizationServer: metadata.scopes_supported,
    offlineAccess: options.offlineAccess ?? true,
  })
  return defined({
    resource: resource.resource,
    resource_parameter,
    issuer: metadata.issuer,
    token_endpoint,
    authorization_endpoint: endpoints.authorization ?? metadata.authorization_endpoint,
    registration_endpoint: endpoints.registration ?? metadata.registration_endpoint,
    revocation_endpoint: endpoints.revocation ?? metadata.revocation_endpoint,
    pushed_authorization_request_endpoint: metadata.require_pushed_authorization_requests
      ? metadata.pushed_authorization_request_endpoint
      : undefined,
    token_endpoint_auth_methods_supported: metadata.token_endpoint_auth_methods_supported,
    client_id_metadata_document_supported: metadata.client_id_metadata_document_supported,
    iss_parameter: metadata.authorization_response_iss_parameter_supported,
    scope,
  })
}
