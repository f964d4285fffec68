import type { RegisteredClient } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import { chooseAuthMethod } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import type { Presentation } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { parseUrl } from '../primitives/parse-url.js'
import { includesScope, unionScope } from '../primitives/scope.js'
import { addressClass } from '../primitives/url-policy.js'
import { clientKnown } from '../steps/client-known.js'
import { register } from '../steps/register.js'
import type { Target } from '../steps/target.js'
import { askForClient } from './ask-client.js'
import type { ConnectionCore } from './connection-core.js'
import { grantedOf, renewable } from './current-token.js'
import type { Device } from './device.js'
import { unlessAssumed } from './discovery.js'
import type { RegistrationRecord } from './records.js'
import type { Runtime } from './runtime.js'
import { registeredFor, reveal } from './secrets.js'

const step = 'register'

/**
 * The command of `registering`: asks the user agent for the redirect URI, then finds the client in the specification's order:
 * one registered by hand for this issuer, the metadata document's URL, a stored dynamic one, a new one, one that the host asks
 * for.
 *
 * @param again - the server forgot the stored client: it is not looked at
 */
export async function becomeClient(
  core: ConnectionCore,
  target: Target,
  presentation: Pick<Presentation, 'way'>,
  again: boolean,
  signal: AbortSignal,
): Promise<Client> {
  const { runtime, options, context, url } = core
  const { records, clock } = runtime
  const { clientName, clientUri, logoUri } = runtime.options
  const { client: { metadataUrl, dynamic = true } = {}, compatibility = {} } = options
  const { redirectHost, redirectPort, initialAccessToken } = compatibility
  const { authorization_endpoint, device_authorization_endpoint } = target

  const stored = await records.list('registration', [target.issuer])
  const registeredRedirectUris = stored.flatMap(({ value }) => value?.redirect_uris ?? [])
  const way = await presentation.way({
    redirect: authorization_endpoint !== undefined,
    device: device_authorization_endpoint !== undefined,
    registeredRedirectUris,
    ...defined({ redirectHost, redirectPort }),
  })
  if (way === undefined) {
    const expected = 'an authorization_endpoint or a device_authorization_endpoint that the user agent can use'
    const received = [authorization_endpoint, device_authorization_endpoint].filter(Boolean).join(' ') || 'none'
    throw new CountersignError('user_agent_unsuitable', { step, url, expected, received })
  }
  const device = way.kind === 'device' ? (way.grant as Device) : undefined
  const { redirectUri: redirect_uri, alternatives = [] } = way.kind === 'redirect' ? way : {}
  const { protocol, hostname = '' } = parseUrl(redirect_uri ?? '') ?? {}
  // A private-use scheme (RFC 8252 section 7.1) leads to the host itself; cleartext leads anywhere.
  if (protocol === 'http:' && addressClass(hostname) !== 'loopback') {
    const expected = 'a redirect URI with https, or http on loopback'
    throw new CountersignError('options_invalid', { step, expected, received: redirect_uri })
  }

  const byHand = clientByHand(core, target) ?? clientByDocument(target, metadataUrl)
  const at = defined({ redirect_uri })
  if (byHand !== undefined) return { ...byHand, ...at }

  const redirect_uris = [...new Set([redirect_uri ?? [], ...alternatives].flat())].sort()
  const key = await records.key('registration', [target.issuer], redirect_uris)
  const { raw, value } = stored.find((record) => record.key === key) ?? {}
  if (value !== undefined && !again && fits(value, target, redirect_uri, clock.now())) {
    const client = { ...value.client, ...at }
    // A server that authorizes devices says by itself that it has forgotten the client, before a person is asked.
    const known = device || (await inUse(runtime, target.issuer, client))
    if (known || (await clientKnown(context, target, client, signal))) return client
  }

  // A registration that is made again keeps what it had asked for: another connection may need it.
  const scope = unionScope(value?.scope, target.scope)
  const asked = {
    endpoint: dynamic ? target.registration_endpoint : undefined,
    initialAccessToken: initialAccessToken && (await reveal(core, initialAccessToken)),
    redirect_uri,
    grantType: device?.grantType ?? 'authorization_code',
    metadata: { client_name: clientName, client_uri: clientUri, logo_uri: logoUri, redirect_uris, scope },
  }
  try {
    const { client, redirect_uris } = await register(context, target, asked, signal)
    if (again || value !== undefined) core.emit('re_registered', 'info')
    await records.write(key, raw, defined({ client, redirect_uris, scope }))
    return client
  } catch (error) {
    const told = await askForClient(core, target.issuer, redirect_uri ?? '', error, signal)
    if (told !== undefined) return { ...clientOf(told, target), ...at }
    throw unlessAssumed(core, target, error)
  }
}

/** Drops a dynamic registration that is not to be used again. */
export async function forgetClient({ records }: Runtime, issuer: string, client_id: string): Promise<void> {
  for (const { key, raw, value } of await records.list('registration', [issuer])) {
    if (value?.client.client_id === client_id) await records.write(key, raw, undefined)
  }
}

/** How many logins are looked through: behind more of them, asking the server is less work. */
const LOOKED_THROUGH = 100

/** Whether a login that was made with this client has a refresh token: then its refreshes say whether the server has forgotten it. */
async function inUse({ records }: Runtime, issuer: string, { client_id }: Client): Promise<boolean> {
  const keys = await records.keys('grant')
  for (const key of keys.slice(0, LOOKED_THROUGH)) {
    const { value } = await records.read('grant', key)
    const { client, target } = grantedOf(value) ?? {}
    if (renewable(value) && client?.client_id === client_id && target?.issuer === issuer) return true
  }
  return false
}

function fits(
  { client, scope, redirect_uris }: RegistrationRecord,
  target: Target,
  redirect_uri: string | undefined,
  now: number,
): boolean {
  const { client_secret_expires_at = Infinity } = client
  return (
    (redirect_uri === undefined || redirect_uris.includes(redirect_uri)) &&
    client_secret_expires_at > now &&
    (scope === undefined || includesScope(scope, target.scope))
  )
}

/** A public client is what a document without keys describes, so a server that lists methods must list `none`. */
function clientByDocument(target: Target, client_id: string | undefined): Client | undefined {
  const methods = target.token_endpoint_auth_methods_supported ?? ['none']
  if (client_id === undefined || !target.client_id_metadata_document_supported || !methods.includes('none'))
    return undefined
  const url = parseUrl(client_id)
  if (url?.protocol === 'https:' && url.pathname !== '/' && url.hash === '' && url.username === '') {
    return { client_id, token_endpoint_auth_method: 'none', origin: 'metadata_document' }
  }
  const expected = 'client.metadataUrl as an https URL with a path, without fragment and user information'
  throw new CountersignError('options_invalid', { step, expected, received: client_id })
}

function clientByHand(core: ConnectionCore, target: Target): Client | undefined {
  const registered = registeredFor(core, target.issuer)
  return registered && clientOf(registered, target)
}

/** A client that was registered by hand, as the server of this target takes it. */
export function clientOf(
  { clientId: client_id, clientSecret, tokenEndpointAuthMethod }: RegisteredClient,
  { issuer, token_endpoint_auth_methods_supported: methods }: Target,
): Client {
  const token_endpoint_auth_method =
    tokenEndpointAuthMethod ?? (clientSecret === undefined ? 'none' : chooseAuthMethod(methods, true))
  if (token_endpoint_auth_method !== undefined) return { client_id, token_endpoint_auth_method, origin: 'registered' }
  throw new CountersignError('client_authentication_unsupported', {
    step,
    url: issuer,
    expected: methods?.join(' '),
    received: 'client_secret_basic or client_secret_post',
  })
}
