import { CountersignError } from '../errors/error.js'
import { type BearerChallenge, readBearerChallenge } from '../messages/bearer-challenge.js'
import type { Tokens } from '../messages/token-response.js'
import { defined } from '../primitives/defined.js'
import { addedScope } from '../primitives/scope.js'
import type { ConnectionCore } from './connection-core.js'
import { renewable, tokensOf } from './current-token.js'
import { nextRung, type Rung } from './ladder.js'
import { headersWith, isBackground, type McpRequest, readRequest, send } from './mcp-request.js'
import { wait } from './patience.js'
import { type Refusal, refusalError } from './refusal.js'

/**
 * `fetch` with this connection's token: attached to requests to the resource's own origin, kept good, and answered for when
 * the server refuses it.
 *
 * @throws CountersignError `interaction_required`, `interaction_pending`, `credentials_rejected`, `insufficient_scope`,
 * `header_rejected`, `request_not_replayable`, `refresh_pending`, `server_unavailable`, `refresh_outcome_unknown`,
 * `connector_closed`, and what a login ends with
 */
export async function authorizedFetch(
  core: ConnectionCore,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const { renewing, runtime, held } = core
  // The fast path: a token that is good for a while costs one copy of its header, and no look at the rest of the request.
  const fresh = runtime.clock.now() < renewing.fastUntil && !runtime.closed ? tokensOf(held.known) : undefined
  const headers = fresh && headersWith(core, fresh, input, init)
  if (headers !== undefined) {
    const response = await runtime.fetch(input, { ...init, headers })
    return refused(response) ? climb(core, readRequest(core, input, init), fresh, response) : response
  }

  const request = readRequest(core, input, init)
  if (request.headers === undefined) return runtime.fetch(input, init)
  if (request.ownAuthorization) return withOwnHeader(core, request)
  core.open()
  const tokens = await renewing.current(request.signal)
  const response = await send(core, request, tokens)
  return refused(response) ? climb(core, request, tokens, response) : response
}

const refused = ({ status }: Response): boolean => status === 401 || status === 403

/** A header that the host set itself switches OAuth off; its rejection says so. */
async function withOwnHeader(core: ConnectionCore, request: McpRequest): Promise<Response> {
  const response = await send(core, request, undefined)
  if (response.status !== 401) return response
  await discard(response)
  throw new CountersignError('header_rejected', { step: 'authorize', url: request.url, received: 'HTTP 401' })
}

async function climb(
  core: ConnectionCore,
  request: McpRequest,
  sent: Tokens | undefined,
  refused: Response,
): Promise<Response> {
  let response = refused
  const done = new Set<Rung>()
  for (;;) {
    const { status } = response
    if (status !== 401 && status !== 403) return response
    const challenge = readBearerChallenge(response.headers.get('www-authenticate'))
    if (status === 403 && challenge.error !== 'insufficient_scope') return response
    note(core, challenge)
    const error = await takeRungs({ core, request, status, done, sent, challenge })
    if (error !== undefined) {
      // The legacy SSE transport reconnects for ever when fetch throws; it understands a 401.
      if (request.legacySse) return response
      await discard(response)
      throw error
    }
    await discard(response)
    sent = tokensOf(core.held.known)
    response = await send(core, request, sent)
  }
}

type Climb = Omit<Refusal, 'url' | 'added' | 'done'> & { readonly request: McpRequest; readonly done: Set<Rung> }

/** Climbs until there is something new to send, or returns the error that is left. */
async function takeRungs(climb: Climb): Promise<undefined | CountersignError> {
  const { core, request, status, done, sent, challenge } = climb
  for (;;) {
    const { grant } = await core.held.read()
    const current = tokensOf(grant)
    const added = addedScope(core.wider(), challenge.scope)
    const rung = nextRung({
      status,
      sent_current: sent?.access_token === current?.access_token || current === undefined,
      issuer_listed: true,
      refreshable: renewable(grant),
      adds_scope: added.length > 0 && !core.refusedScopes?.has(challenge.scope ?? ''),
      may_sign_in: maySignIn(core, request),
      done,
    })
    if (rung !== 'fail' && !request.replayable) {
      return new CountersignError('request_not_replayable', { step: 'authorize', url: request.url })
    }
    if (rung === 'fail') return refusalError({ ...climb, url: request.url, added })
    done.add(rung)
    if (rung === 'retry_current') return undefined
    if (rung === 'refresh') {
      if (await core.renewing.renew(request.signal)) return undefined
    } else if (rung === 'sign_in' || (await stepUpAllowed(core, challenge.scope ?? '', added))) {
      await signIn(core, request, challenge)
      return undefined
    }
  }
}

/** Asks the host, once for a scope: what it refused is not asked again until somebody calls `authorize()`. */
async function stepUpAllowed(core: ConnectionCore, scope: string, added: readonly string[]): Promise<boolean> {
  const { onStepUp } = core.options
  if (onStepUp === undefined || core.signingIn.underWay) return true
  const allowed = await core.asking.run(scope, async () =>
    onStepUp({ url: core.url, scope: core.wider(scope) ?? scope, added }),
  )
  if (!allowed) core.refuseScope(scope)
  return allowed
}

/** Joining a login costs nobody anything; opening one needs leave, a person who can be reached, and a foreground request. */
const maySignIn = (core: ConnectionCore, request: McpRequest): boolean =>
  core.signingIn.underWay ||
  (core.mode === 'on-demand' &&
    !core.signedOut &&
    // A person who has just said no is not asked again by the next request, only by authorize().
    core.status.failure?.code !== 'access_denied' &&
    core.runtime.options.userAgent !== undefined &&
    !isBackground(request))

async function signIn(core: ConnectionCore, request: McpRequest, { scope }: BearerChallenge): Promise<void> {
  const code = 'interaction_pending'
  const step = 'authorize'
  const patience = { step, timeoutMs: core.runtime.interactionWaitMs, code, signal: request.signal } as const
  try {
    const end = await wait(core, patience, async () => core.signingIn.signIn({ scope: core.wider(scope) }))
    if (end === 'parked') throw new CountersignError(code, { step, url: core.url })
  } catch (error) {
    // The person said no to more scope: the next request must not open the same page again.
    const declined = CountersignError.is(error) && error.code === 'access_denied'
    if (declined && scope !== undefined && tokensOf(core.held.known) !== undefined) core.refuseScope(scope)
    throw error
  }
}

/** Remembers the challenge for the login; what is absent now does not clear what was said before. */
function note(core: ConnectionCore, { resource_metadata, scope, tolerated }: BearerChallenge): void {
  const before = core.challenge
  core.challenge = {
    resource_metadata: resource_metadata.length > 0 ? resource_metadata : (before?.resource_metadata ?? []),
    ...defined({ scope: scope ?? before?.scope }),
  }
  for (const deviation of tolerated) core.diagnose(deviation)
}

/** Frees the socket of an answer that is not looked at; that a broken one cannot be cancelled changes nothing. */
const discard = async (response: Response): Promise<void> => response.body?.cancel().catch(() => undefined)
