import { CountersignError } from '../errors/error.js'
import type { Presentation, ServerWays, Way } from '../ports/user-agent.js'
import { randomId } from '../primitives/random-id.js'
import { includesScope } from '../primitives/scope.js'
import { acceptAuthorizationResponse } from '../steps/accept-response.js'
import { exchange } from '../steps/exchange.js'
import { prepareRedirect } from '../steps/prepare.js'
import type { Target } from '../steps/target.js'
import { type Attempt, type AttemptEvent, type AttemptIn, type Granted, storable } from './attempt.js'
import { becomeClient, forgetClient } from './client.js'
import { dropPending, type Found, findPending, savePending, takePending } from './completion.js'
import type { ConnectionCore } from './connection-core.js'
import type { Device } from './device.js'
import { discover } from './discovery.js'
import { drive } from './drive.js'
import { forPerson, patient } from './for-person.js'
import { forgetLease, type Taken, takeTurn } from './lease.js'
import type { LoginLease } from './login-lease.js'
import { resumeLogin } from './resume-login.js'
import { withSecret } from './secrets.js'
import { settleSurely } from './settle.js'

/** One run of an attempt, or of the rest of it. */
export interface Login {
  readonly core: ConnectionCore
  readonly signal: AbortSignal
  readonly presentation: Pick<Presentation, 'way' | 'present'>
  /** The host carries the person itself, see `AttemptRecord`. */
  readonly carried: boolean
  /** What keeps other processes from asking too; absent where the person is elsewhere. */
  readonly lease?: LoginLease
  /** Set where the run starts from a response that has already come: the person is not there to be asked again. */
  readonly found?: Found
}

/** What a run holds that somebody else must not, given back or settled when it ends. */
export interface Holding {
  lease?: Taken | undefined
  /** Key of the login's record, from when it is stored until its code is taken. */
  waiting?: string
  /** The `state` of a page that was open before this run began. */
  resumed?: string | undefined
  /** The grant that the user agent has brought in, where it is not one by redirect. */
  device?: Device | undefined
  /** With the key that its tokens would be bound to, until the record has them. */
  target?: Target | undefined
  taken?: ((completed: boolean) => Promise<unknown>) | undefined
}

/**
 * Drives an attempt as far as it goes: to tokens that are stored, or to a page that somebody else will bring the answer of.
 *
 * @returns the state it came to: `granted`, or `authorizing` where it is parked
 * @throws the error of the step that failed
 */
export async function runLogin(login: Login, from: Attempt): Promise<Attempt> {
  const { core, signal, carried, found } = login
  const { runtime } = core
  const holding: Holding = {}
  let failure: CountersignError | undefined

  const handler =
    <S extends Attempt>(work: (state: S) => Promise<AttemptEvent | 'parked'>) =>
    async (state: S): Promise<AttemptEvent | 'parked'> => {
      try {
        return await work(state)
      } catch (error) {
        if (!CountersignError.is(error)) throw error
        failure = error
        return { type: 'step_failed', error: error.toJSON() }
      }
    }
  const asked = patient(login)
  const way = async (server: ServerWays): Promise<Way | undefined> => {
    const chosen = await asked.way(server)
    holding.device = chosen?.kind === 'device' ? (chosen.grant as Device) : undefined
    return chosen
  }
  const handlers = {
    discover: handler<AttemptIn<'discovering'>>(async ({ request }) => {
      const target = await discover(core, request, signal)
      return { type: 'target_discovered', target: (await core.proving?.bind(core, target)) ?? target }
    }),
    register: handler<AttemptIn<'registering'>>(async ({ request, target }) => ({
      type: 'client_ready',
      client: await becomeClient(core, target, { way }, request.registered_again ?? false, signal),
    })),
    prepare: handler<AttemptIn<'preparing'>>(async (state) => {
      const { target, client } = state
      const pushes = target.pushed_authorization_request_endpoint !== undefined
      const known = pushes ? await withSecret(core, target.issuer, client) : client
      const { url: serverUrl, options, context } = core
      const { loginTimeoutMs: lifetimeMs } = runtime
      const pending = holding.device
        ? await holding.device.prepare(core, state)
        : await prepareRedirect(context, target, known, { serverUrl, options, lifetimeMs })
      return pending === undefined ? { type: 'client_forgotten' } : { type: 'request_prepared', pending }
    }),
    present: handler<AttemptIn<'authorizing'>>((state) => present(login, holding.resumed, state)),
    exchange: handler<AttemptIn<'exchanging'>>((state) => exchangeCode(login, holding, state)),
    poll: handler<AttemptIn<'polling'>>((state) => {
      if (holding.device === undefined) throw notBroughtIn(state)
      return holding.device.poll(login, holding, state)
    }),
    acquire: handler(async (state: Attempt) => {
      throw notBroughtIn(state)
    }),
  }
  const save = async (state: Attempt): Promise<void> => {
    if ('target' in state) holding.target = state.target
    if (!storable(state) || found !== undefined) return
    const attempt = await savePending(runtime, state, carried)
    holding.waiting = attempt
    const redirect_uri = state.phase === 'authorizing' ? state.pending.redirect_uri : undefined
    await login.lease?.say({ attempt, redirect_uri })
  }

  try {
    const wanted = 'request' in from ? from.request.scope : undefined
    const left = login.lease && (await resumeLogin(core, login.lease, { way }, wanted))
    holding.resumed = left?.phase === 'authorizing' ? left.pending.state : undefined
    const end = await drive(left ?? from, handlers, save)
    if (end.phase === 'failed') throw failure ?? new CountersignError(end.error.code, end.error)
    if (end.phase === 'granted') await handOver(core, holding, end.granted)
    // The record's from now on.
    holding.target = undefined
    await holding.taken?.(true)
    await login.lease?.end()
    return end
  } catch (error) {
    // Nothing is left of a login that failed: no lease, no record that a late response would find.
    await release(core, holding)
    await holding.taken?.(false)
    const inherited = await endLease(login, error)
    const { waiting, taken, target } = holding
    const dropped = waiting === undefined ? found === undefined : !inherited && (await dropPending(runtime, waiting))
    // What somebody else has taken, or goes on with, needs its key.
    if (target && (dropped || taken)) core.proving?.drop(core, target)
    throw error
  } finally {
    if (holding.lease !== undefined) forgetLease(runtime, holding.lease.id)
  }
}

const notBroughtIn = ({ phase }: Attempt): CountersignError =>
  new CountersignError('unexpected', { step: phase, received: 'a grant that nothing has brought in' })

/** Who gives up speaks for nobody else, unless they sign out. */
async function endLease({ lease, signal }: Login, error: unknown): Promise<boolean | undefined> {
  const { reason } = signal
  const own = CountersignError.is(reason) ? reason : error
  const known = CountersignError.is(own) ? own : new CountersignError('unexpected', { step: 'login', cause: own })
  return lease?.end(known, signal.aborted && known.step !== 'sign_out')
}

async function present(
  { core, presentation, signal }: Login,
  resumed: string | undefined,
  { target, pending }: AttemptIn<'authorizing'>,
): Promise<AttemptEvent | 'parked'> {
  const { clock } = core.runtime
  const step = 'present'
  core.emit('login_waiting', 'info')
  const answer = await forPerson({ core, signal }, pending.expires_at - clock.now(), () =>
    presentation.present({
      kind: 'redirect',
      authorizationUrl: pending.authorization_url,
      state: pending.state,
      resumed: pending.state === resumed,
    }),
  )
  if (answer === 'parked') return answer
  if (answer === 'shown') throw new CountersignError('user_agent_unsuitable', { step, received: answer })
  const code = acceptAuthorizationResponse(answer, pending, target, clock.now())
  return { type: 'code_received', state: pending.state, code }
}

async function exchangeCode(
  { core, found }: Login,
  holding: Holding,
  { request, target, client, pending, code }: AttemptIn<'exchanging'>,
): Promise<AttemptEvent> {
  const { runtime, context } = core
  holding.taken = await takePending(runtime, found ?? (await findPending(runtime, pending.state)), !found)
  holding.lease ??= await takeTurn(core)
  const tokens = await exchange(context, target, await withSecret(core, target.issuer, client), pending, code)
  if (tokens !== 'client_forgotten') return { type: 'tokens_issued', tokens }
  if (found !== undefined) {
    // The person is gone, and nobody asked for another page: the next login registers anew.
    await forgetClient(runtime, target.issuer, client.client_id)
    throw new CountersignError('client_forgotten', { step: 'exchange', url: request.url })
  }
  await release(core, holding)
  await holding.taken(false)
  holding.taken = undefined
  return { type: 'client_forgotten' }
}

async function release({ held }: ConnectionCore, holding: Holding): Promise<void> {
  if (holding.lease === undefined) return
  await held.settle({ type: 'released', id: holding.lease.id })
  holding.lease = undefined
}

async function handOver(core: ConnectionCore, { lease }: Holding, granted: Granted): Promise<void> {
  const { runtime, context, url } = core
  if (lease === undefined) return
  await settleSurely(core, { type: 'granted', ...lease, grant: randomId(runtime.random), granted })
  const { target, tokens } = granted
  // That a server keeps offline_access to itself narrows nothing that a request could notice.
  if (tokens.scope !== undefined && !includesScope(`${tokens.scope} offline_access`, target.scope)) {
    context.diagnose({ code: 'scope_narrowed', url, expected: target.scope ?? '', received: tokens.scope })
  }
  if (tokens.expires_at !== undefined && tokens.expires_at <= tokens.issued_at) {
    const at = { url: target.token_endpoint, expected: 'a lifetime', received: 'a token that has expired already' }
    context.diagnose({ code: 'token_born_expired', ...at })
  }
}
