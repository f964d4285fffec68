import { CountersignError } from '../errors/error.js'
import { chooseAuthMethod } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import type { Presentation, Way } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { includesScope, unionScope } from '../primitives/scope.js'
import { register } from '../steps/register.js'
import type { Target } from '../steps/target.js'
import type { ConnectionCore } from './connection-core.js'
import type { RegistrationRecord } from './records.js'
import type { Runtime } from './runtime.js'
import { registeredFor, reveal } from './secrets.js'

type RedirectWay = Extract<Way, { readonly kind: 'redirect' }>

/**
 * The command of `registering`: asks the user agent for the redirect URI, then finds the client in the specification's order:
 * one registered for this issuer, the metadata document's URL, a stored dynamic one, a
 * new one.
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
  const { runtime, options, context } = core
  const stored = await runtime.records.list('registration', [target.issuer])
  const way = await redirectWay(
    core,
    target,
    presentation,
    stored.flatMap(({ value }) => value?.redirect_uris ?? []),
  )
  const registered = registeredFor(core, target.issuer)
  if (registered !== undefined) return byHand(target, registered, way.redirectUri)
  const document = options.client?.metadataUrl
  if (document !== undefined && takesDocument(target)) return byDocument(document, way.redirectUri)
  if (options.client?.dynamic === false) return register(context, withoutRegistration(target), plan(core, way))

  const redirect_uris = urisOf(way)
  const key = await runtime.records.key('registration', [target.issuer], redirect_uris)
  const { raw, value } = await runtime.records.read('registration', key)
  if (value !== undefined && !again && fits(value, target, runtime.clock.now())) {
    return { ...value.client, redirect_uri: way.redirectUri }
  }
  const { initialAccessToken } = options.compatibility ?? {}
  const token = initialAccessToken === undefined ? undefined : await reveal(initialAccessToken)
  // A registration that is made again keeps what it had asked for: another connection may need it.
  const scope = unionScope(value?.scope, target.scope)
  const client = await register(context, { ...target, ...defined({ scope }) }, plan(core, way, token), signal)
  if (again || value !== undefined) core.emit('re_registered', 'info')
  await runtime.records.write(key, raw, defined({ client, redirect_uris, scope }))
  return client
}

/** Drops a dynamic registration that is not to be used again. */
export async function forgetClient({ records }: Runtime, issuer: string, client_id: string): Promise<void> {
  for (const { key, raw, value } of await records.list('registration', [issuer])) {
    if (value?.client.client_id === client_id) await records.write(key, raw, undefined)
  }
}

async function redirectWay(
  { options, url }: ConnectionCore,
  target: Target,
  presentation: Pick<Presentation, 'way'>,
  registeredRedirectUris: readonly string[],
): Promise<RedirectWay> {
  const { redirectHost, redirectPort } = options.compatibility ?? {}
  const way = await presentation.way({
    redirect: target.authorization_endpoint !== undefined,
    device: false,
    ...defined({ redirectHost, redirectPort }),
    ...(registeredRedirectUris.length > 0 && { registeredRedirectUris }),
  })
  if (way?.kind === 'redirect') return way
  throw new CountersignError('user_agent_unsuitable', {
    step: 'register',
    url,
    expected: 'an authorization server with an authorization_endpoint, and a user agent that takes redirects',
  })
}

const urisOf = (way: RedirectWay): readonly string[] =>
  [...new Set([way.redirectUri, ...(way.alternatives ?? [])])].sort()

const plan = (
  { runtime }: ConnectionCore,
  way: RedirectWay,
  initialAccessToken?: string,
): Parameters<typeof register>[2] => ({
  client_name: runtime.options.clientName,
  client_uri: runtime.options.clientUri,
  logo_uri: runtime.options.logoUri,
  redirect_uris: urisOf(way),
  redirect_uri: way.redirectUri,
  initialAccessToken,
})

/** Without an endpoint, registering ends in the error that tells the host what to register by hand. */
function withoutRegistration(target: Target): Target {
  const { registration_endpoint: _, ...rest } = target
  return rest
}

function fits(record: RegistrationRecord, target: Target, now: number): boolean {
  const { client_secret_expires_at } = record.client
  const alive = client_secret_expires_at === undefined || client_secret_expires_at > now
  return alive && (record.scope === undefined || includesScope(record.scope, target.scope))
}

/** A public client is what a document without keys describes, so a server that lists methods must list `none`. */
const takesDocument = (target: Target): boolean =>
  target.client_id_metadata_document_supported &&
  chooseAuthMethod(target.token_endpoint_auth_methods_supported, false) !== undefined

function byDocument(client_id: string, redirect_uri: string): Client {
  const url = URL.canParse(client_id) ? new URL(client_id) : undefined
  if (url?.protocol === 'https:' && url.pathname !== '/' && url.hash === '' && url.username === '') {
    return { client_id, token_endpoint_auth_method: 'none', origin: 'metadata_document', redirect_uri }
  }
  throw new CountersignError('options_invalid', {
    step: 'register',
    expected: 'client.metadataUrl as an https URL with a path, without user information and fragment',
    received: client_id,
  })
}

function byHand(
  target: Target,
  registered: NonNullable<ReturnType<typeof registeredFor>>,
  redirect_uri: string,
): Client {
  const methods = target.token_endpoint_auth_methods_supported
  const method =
    registered.tokenEndpointAuthMethod ??
    (registered.clientSecret === undefined ? 'none' : chooseAuthMethod(methods, true))
  if (method === undefined) {
    throw new CountersignError('client_authentication_unsupported', {
      step: 'register',
      url: target.issuer,
      expected: methods?.join(' '),
      received: 'a client secret, usable as client_secret_basic or client_secret_post',
    })
  }
  return { client_id: registered.clientId, token_endpoint_auth_method: method, origin: 'registered', redirect_uri }
}
