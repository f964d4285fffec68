import type { AcquireContext, Acquisition } from '../credentials/acquisition.js'
import { type RegisteredClient, trustDiscovered } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import { isSendable, type Tokens, toTokens } from '../messages/token-response.js'
import { defined } from '../primitives/defined.js'
import type { Target } from '../steps/target.js'
import { type Acquired, acquire } from './acquire-transaction.js'
import type { Granted, Request } from './attempt.js'
import { clientOf } from './client.js'
import type { ConnectionCore } from './connection-core.js'
import type { GrantCredentials } from './credentials.js'
import { tokensOf } from './current-token.js'
import { discover } from './discovery.js'
import { drive, type Handlers } from './drive.js'
import type { Grant } from './grant.js'
import { readAuthorizationServer } from './metadata.js'
import { nobody, present } from './presenting.js'
import { authenticated, reveal } from './secrets.js'

const step = 'acquire'

/** Brings a way of obtaining tokens to a connector. */
export const acquiring = (way: Acquisition): GrantCredentials => ({
  kind: 'grant',
  client: way.client,
  listings: listings(way),
  obtain: async (core, had, scope, signal, leave) => {
    try {
      const outcome = await obtain(core, way, had, scope, signal, leave)
      core.status.set({ failure: undefined })
      return outcome
    } catch (error) {
      if (CountersignError.is(error)) core.status.set({ failure: error })
      throw error
    }
  },
})

/** Drives an attempt without a person: the server, the client, then the tokens, under the lease. */
async function obtain(
  core: ConnectionCore,
  way: Acquisition,
  had: Grant,
  scope: string | undefined,
  signal: AbortSignal,
  leave: () => boolean,
): Promise<Acquired> {
  const { url, account, challenge } = core
  let outcome: Acquired = 'ended'
  const handlers: Handlers = {
    discover: async ({ request }) => ({
      type: 'target_discovered',
      target: pinned(core, way, await discover(core, request, signal).catch(anotherIssuer)),
    }),
    register: async ({ target }) =>
      way.client ? { type: 'client_ready', client: confidential(way.client, target) } : { type: 'client_not_needed' },
    acquire: async (state) => {
      let tokens: Tokens | undefined
      const { request, target, client } = state
      // Before the lease: a supplier may take its time, and then nobody waits for it but this process.
      const known = client && way.client && (await authenticated(core, target.issuer, client, way.client))
      outcome = await acquire(
        core,
        had,
        async (asking) => {
          const work = async (bound: Target): Promise<Granted> => {
            tokens = await ask(core, way, bound, known, tokensOf(had) !== undefined, asking)
            return { request, target: bound, ...(client && { client }), tokens }
          }
          return core.proving ? core.proving.within(core, target, work) : work(target)
        },
        signal,
        leave,
      )
      // Somebody else's tokens are no event of this attempt.
      return outcome === 'acquired' && tokens ? { type: 'tokens_issued', tokens } : 'parked'
    },
    prepare: forPersons,
    present: forPersons,
    exchange: forPersons,
    poll: forPersons,
  }
  const asked = scope === undefined ? core.wider() : scope
  const request: Request = defined({ url, by: 'credentials' as const, account, challenge, scope: asked })
  await drive({ phase: 'discovering', request }, handlers, async () => undefined)
  return outcome
}

/** A secret is there to be used, also where the server lists nothing but `none` (RFC 6749 section 4.4.2). */
function confidential(registered: RegisteredClient, target: Target): Client {
  const client = clientOf(registered, target)
  const dropped = client.token_endpoint_auth_method === 'none' && registered.tokenEndpointAuthMethod !== 'none'
  return dropped && registered.clientSecret !== undefined
    ? { ...client, token_endpoint_auth_method: 'client_secret_basic' }
    : client
}

const forPersons = async ({ phase }: { readonly phase: string }): Promise<never> => {
  throw new CountersignError('unexpected', { step: phase, received: 'a step that needs a person' })
}

/** How resource metadata may list the issuer: with or without the slash that deployments disagree about. */
const listings = ({ issuer }: Acquisition): readonly string[] | undefined =>
  issuer === trustDiscovered ? undefined : [issuer, `${issuer}/`, issuer.replace(/\/$/, '')]

const HINT = 'What is configured for one issuer is sent to no other: correct issuer, or the metadata of the server.'

/** The usual hint of this error names an option that would not help here. */
const anotherIssuer = (error: unknown): never => {
  if (!CountersignError.is(error) || error.code !== 'issuer_not_expected') throw error
  throw new CountersignError(error.code, { ...error, expected: error.expected?.split(' ')[0], hint: HINT })
}

/** The document's own issuer decides, whatever it was listed as. */
function pinned({ url }: ConnectionCore, { issuer }: Acquisition, target: Target): Target {
  if (issuer === trustDiscovered || issuer === target.issuer) return target
  const evidence = { step: 'discover', url, expected: issuer, received: target.issuer, hint: HINT }
  throw new CountersignError('issuer_not_expected', evidence)
}

async function ask(
  core: ConnectionCore,
  way: Acquisition,
  target: Target,
  client: AuthenticatingClient | undefined,
  fresh: boolean,
  signal: AbortSignal,
): Promise<Tokens> {
  const { url } = core
  const { issuer, resource_parameter: resource, scope } = target
  try {
    // What is acquired once can be acquired again: there is nothing that a refresh token would be kept for.
    const { refresh_token: _, ...response } = await way.acquire({
      url,
      issuer,
      resource,
      scope,
      fresh,
      signal,
      reveal: (secret) => reveal(core, secret),
      request: door(core, way, target, client, signal),
    })
    if (isSendable(response.access_token)) return toTokens(response)
    throw unusable(url, 'something else')
  } catch (cause) {
    throw CountersignError.is(cause) ? cause : unusable(url, 'an exception', cause)
  }
}

const unusable = (url: string, received: string, cause?: unknown): CountersignError =>
  new CountersignError('options_invalid', { step, url, expected: 'credentials that acquire a token', received, cause })

/** The one door to token endpoints, for a way of obtaining tokens. */
const door =
  (
    core: ConnectionCore,
    way: Acquisition,
    target: Target,
    client: AuthenticatingClient = nobody,
    signal: AbortSignal,
  ): AcquireContext['request'] =>
  async (parameters, at) => {
    if (at === undefined) return present(core, { step, target, parameters }, client, way.client, client)
    const where = await elsewhere(core, target, at, signal)
    const { issuedTokenType } = at
    return present(
      core,
      { step, target: where, parameters, issuedTokenType },
      confidential(at.client, where),
      at.client,
    )
  }

async function elsewhere(
  core: ConnectionCore,
  target: Target,
  { client: { issuer }, endpoint }: NonNullable<Parameters<AcquireContext['request']>[1]>,
  signal: AbortSignal,
): Promise<Target> {
  const search = { otherwise: 'nothing', mayBeKept: true, signal } as const
  const { metadata } = endpoint === undefined ? await readAuthorizationServer(core, issuer, search) : {}
  const token_endpoint = endpoint ?? metadata?.token_endpoint
  if (token_endpoint === undefined) {
    const evidence = { step, url: issuer, expected: 'token_endpoint', received: 'none' }
    throw new CountersignError('authorization_server_metadata_invalid', evidence)
  }
  const { token_endpoint_auth_methods_supported } = metadata ?? {}
  return defined({ resource: target.resource, issuer, token_endpoint, token_endpoint_auth_methods_supported })
}
