import { CountersignError } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'
import { defined } from '../primitives/defined.js'
import { urlProblem } from '../primitives/url-policy.js'
import { checkPkce } from '../steps/check-support.js'
import { notNow } from '../steps/context.js'
import type { DiscoveredResource } from '../steps/discover-resource.js'
import { selectScope } from '../steps/select-scope.js'
import type { Target } from '../steps/target.js'
import type { Request } from './attempt.js'
import type { ConnectionCore } from './connection-core.js'
import { targetOf } from './current-token.js'
import { candidatesOf, notExpected, noteListed } from './issuers.js'
import { readAuthorizationServer, readResource } from './metadata.js'
import { registeredFor } from './secrets.js'

/**
 * The command of `discovering`: the protected resource, then the first of its authorization servers that is usable, one that
 * there is a client for before the others.
 */
export async function discover(core: ConnectionCore, request: Request, signal: AbortSignal): Promise<Target> {
  // A login that is made again, whatever ended the last one, goes by nothing that was kept.
  const mayBeKept = core.mayUseCache && targetOf(core.held.known) === undefined
  core.mayUseCache = false
  const resource = await readResource(core, request.challenge, mayBeKept, signal)
  const { authorization_servers, dpop_bound_access_tokens_required } = resource.metadata
  if (dpop_bound_access_tokens_required || resource.challenge?.dpop === 'required') core.needProving()
  if (resource.url !== undefined) noteListed(core, authorization_servers)

  const given = core.options.compatibility?.endpoints?.token !== undefined
  const otherwise = given ? 'given' : resource.absent === undefined ? 'nothing' : 'defaults'
  let first: Target | CountersignError | undefined
  for (const { issuer, registered, stored } of await candidatesOf(core, authorization_servers)) {
    try {
      const { metadata, absent } = await readAuthorizationServer(core, issuer, { otherwise, mayBeKept, signal })
      if (registered && registeredFor(core, metadata.issuer) === undefined) {
        // Told apart by a slash alone, which must not lead to another client in silence.
        throw notExpected(core.url, [issuer], [metadata.issuer])
      }
      const assumed = otherwise === 'defaults' && absent ? `${resource.absent}; ${absent}` : undefined
      const target = targetFrom(core, request, resource, metadata, assumed)
      if (mayBecomeClient(core, target)) return target
      first ??= target
    } catch (error) {
      if (!CountersignError.is(error) || signal.aborted) throw error
      // A client keeps its login at its server: that it is out of reach is no reason to make a new one elsewhere.
      if (registered || (stored && notNow(error))) throw error
      first ??= error
    }
  }
  if (first === undefined || CountersignError.is(first)) throw first
  return first
}

/** Whether there is a way to become a client; what it takes is for the next step. */
function mayBecomeClient(core: ConnectionCore, target: Target): boolean {
  const { metadataUrl, dynamic = true, ask } = core.options.client ?? {}
  return Boolean(
    core.acquires ||
      registeredFor(core, target.issuer) ||
      (metadataUrl && target.client_id_metadata_document_supported) ||
      (dynamic && target.registration_endpoint) ||
      ask,
  )
}

/** A guessed endpoint at which nobody registers: the server is none of that revision, and what it lacks is said instead. */
export function unlessAssumed({ url }: ConnectionCore, { assumed }: Target, error: unknown): unknown {
  if (assumed === undefined || !CountersignError.is(error) || error.oauth) return error
  if (notNow(error) && error.code !== 'cross_origin_blocked') return error
  const received = `${assumed}; ${error.url}: ${error.received}`
  return new CountersignError('resource_metadata_not_found', { step: 'discover', url, received, cause: error })
}

function targetFrom(
  core: ConnectionCore,
  request: Request,
  found: DiscoveredResource,
  metadata: AuthorizationServerMetadata,
  assumed: string | undefined,
): Target {
  const { options, url } = core
  const { metadata: resource, challenge } = found
  const { compatibility = {} } = options
  const byPerson = request.by === 'person'
  const { endpoints = {} } = compatibility
  const authorization_endpoint = endpoints.authorization ?? metadata.authorization_endpoint
  const device_authorization_endpoint = endpoints.deviceAuthorization ?? metadata.device_authorization_endpoint
  // Where only devices are authorized, there is no code that PKCE would protect.
  if (byPerson && (authorization_endpoint || !device_authorization_endpoint)) {
    checkPkce(metadata, compatibility.assumePkceS256 ?? false)
  }
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
    challenge: challenge?.scope,
    resource: resource.scopes_supported,
    authorizationServer: metadata.scopes_supported,
    offlineAccess: byPerson && (options.offlineAccess ?? true),
  })
  return defined({
    resource: resource.resource,
    resource_parameter,
    issuer: metadata.issuer,
    token_endpoint,
    authorization_endpoint,
    device_authorization_endpoint,
    registration_endpoint: endpoints.registration ?? metadata.registration_endpoint,
    revocation_endpoint: endpoints.revocation ?? metadata.revocation_endpoint,
    pushed_authorization_request_endpoint: metadata.require_pushed_authorization_requests
      ? metadata.pushed_authorization_request_endpoint
      : undefined,
    token_endpoint_auth_methods_supported: metadata.token_endpoint_auth_methods_supported,
    client_id_metadata_document_supported: metadata.client_id_metadata_document_supported,
    iss_parameter: metadata.authorization_response_iss_parameter_supported,
    scope,
    assumed,
    dpop_signing_alg: core.proving?.algorithm(core, found, metadata),
  })
}
