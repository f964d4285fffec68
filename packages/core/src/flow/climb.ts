import { CountersignError } from '../errors/error.js'
import { publicUrl } from '../errors/text.js'
import { type BearerChallenge, readBearerChallenge } from '../messages/bearer-challenge.js'
import type { Tokens } from '../messages/token-response.js'
import { defined } from '../primitives/defined.js'
import { addedScope } from '../primitives/scope.js'
import type { ConnectionCore } from './connection-core.js'
import { tokensOf } from './current-token.js'
import { issuerListed } from './issuers.js'
import { nextRung, type Rung } from './ladder.js'
import { isBackground, type McpRequest, send } from './mcp-request.js'
import { wait } from './patience.js'
import { type Refusal, refusalError } from './refusal.js'

const step = 'authorize'

/** Climbs the ladder with a refused request: sends it again as long as there is something new to send. */
export async function climb(
  core: ConnectionCore,
  request: McpRequest,
  refusedTokens: Tokens | undefined,
  refused: Response,
): Promise<Response> {
  const done = new Set<Rung>()
  let response = refused
  let sent = refusedTokens
  for (;;) {
    const { status } = response
    if (status !== 401 && status !== 403) return response
    const challenge = readBearerChallenge(response.headers.get('www-authenticate'))
    if (status === 403 && challenge.error !== 'insufficient_scope') return response
    note(core, challenge, status)
    traceRefusal(core, request, status)
    // A login can take minutes, and a socket is not to be held for it; only the legacy SSE transport gets this answer back.
    if (!request.legacySse) await discard(response)
    try {
      await takeRungs({ core, request, status, done, sent, challenge, response })
    } catch (error) {
      // This transport reconnects for ever when fetch throws; a 401 it understands.
      if (request.legacySse) return response
      throw error
    }
    if (!request.replayable) throw new CountersignError('request_not_replayable', { step, url: request.url })
    if (request.legacySse) await discard(response)
    sent = tokensOf(core.held.known)
    response = await send(core, request, sent)
  }
}

type Climb = Omit<Refusal, 'url' | 'added' | 'done'> & {
  readonly request: McpRequest
  readonly response: Response
  readonly done: Set<Rung>
}

/**
 * Takes rungs until there is something new to send.
 *
 * @throws the error that is left after the last one, and what a refresh or a login ends with
 */
async function takeRungs(climb: Climb): Promise<void> {
  const { core, request, response, status, done, sent, challenge } = climb
  if (status === 401 && challenge.dpop === 'required') core.needProving()
  const proof = core.proving?.refused(response)
  for (;;) {
    const { grant } = await core.held.read()
    const current = tokensOf(grant)
    const added = addedScope(core.wider(), challenge.scope)
    const sent_current = sent?.access_token === current?.access_token || current === undefined
    const refreshable = core.renewable
    const rung = nextRung({
      status,
      sent_current,
      // Only a refresh is worth the question: what begins anew reads the metadata itself.
      issuer_listed:
        status === 403 ||
        !sent_current ||
        !refreshable ||
        core.acquires !== undefined ||
        (await issuerListed(core, request.signal)),
      refreshable,
      // What the host has pinned is all that it wants.
      adds_scope:
        added.length > 0 && core.options.scope === undefined && !core.refusedScopes?.has(challenge.scope ?? ''),
      proof,
      may_sign_in: core.acquires ? status === 403 : maySignIn(core, request),
      done,
    })
    if (rung === 'fail' && proof) throw core.needProving().refusal(core, request.url, challenge, response.headers)
    if (rung === 'fail') throw refusalError({ ...climb, url: request.url, added })
    // Somebody else's login is no page for this request: should it not be enough, there is one of its own.
    if (!(core.signingIn.underWay && (rung === 'sign_in' || rung === 'step_up'))) done.add(rung)
    // What brings another token may take minutes, and a nonce grows old in less.
    if (rung !== 'nonce') done.delete('nonce')
    if (rung === 'retry_current' || rung === 'nonce') return
    if (rung === 'refresh') {
      if (await core.renewing.renew(request.signal, { waited: request.waited })) return
    } else if (rung === 'sign_in') {
      return signIn(core, request, core.wider())
    } else if (await stepUpAllowed(core, challenge.scope ?? '', added)) {
      return signIn(core, request, core.wider(challenge.scope), challenge.scope)
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
    // A person who has just said no, or let a code expire, is not asked again by the next request, only by authorize().
    core.status.failure?.code !== 'access_denied' &&
    core.status.failure?.step !== 'poll' &&
    core.runtime.options.userAgent !== undefined &&
    !isBackground(request))

async function signIn(
  core: ConnectionCore,
  { signal }: McpRequest,
  scope: string | undefined,
  stepUp?: string,
): Promise<void> {
  if (core.acquires) {
    await core.renewing.renew(signal, { scope })
    return
  }
  const code = 'interaction_pending'
  const { interactionWaitMs: timeoutMs } = core.runtime
  const had = tokensOf(core.held.known)?.access_token
  // Another process may have signed in while this login waited for its turn.
  const unless = (): boolean => tokensOf(core.held.known)?.access_token !== had && core.covers(scope)
  try {
    const end = await wait(core, { step, timeoutMs, code, signal }, async () =>
      core.signingIn.signIn({ scope, unless, queued: true }),
    )
    if (end === 'parked') throw new CountersignError(code, { step, url: core.url })
  } catch (error) {
    // The person said no to more scope: the next request must not open the same page again.
    const declined = CountersignError.is(error) && error.code === 'access_denied'
    if (declined && stepUp !== undefined) core.refuseScope(stepUp)
    throw error
  }
}

/**
 * Remembers the challenge for the next login; what is absent now does not clear what was said before. The scope of a 403 is
 * that of one step-up, and no other login's.
 */
function note(
  core: ConnectionCore,
  { resource_metadata, scope, dpop, tolerated }: BearerChallenge,
  status: number,
): void {
  const before = core.challenge
  const kept = (status === 401 ? scope : undefined) ?? before?.scope
  core.challenge = {
    resource_metadata: resource_metadata.length > 0 ? resource_metadata : (before?.resource_metadata ?? []),
    ...defined({ scope: kept, dpop: dpop ?? before?.dpop }),
  }
  for (const deviation of tolerated) core.diagnose(deviation)
}

/** The start of whatever follows. Not the server's words: it may repeat in them what it was sent. */
const traceRefusal = ({ runtime, url, account }: ConnectionCore, { method, ...request }: McpRequest, status: number) =>
  runtime.trace.keep({
    url,
    account,
    exchange: { at: runtime.clock.now(), step: 'request', method, url: publicUrl(request.url), status },
  })

/** Frees the socket of an answer that is not looked at; that a broken one cannot be cancelled changes nothing. */
export const discard = async (response: Response): Promise<void> => response.body?.cancel().catch(() => undefined)
