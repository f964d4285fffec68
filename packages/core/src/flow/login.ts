import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import type { Presentation } from '../ports/user-agent.js'
import { randomId } from '../primitives/random-id.js'
import { includesScope } from '../primitives/scope.js'
import { acceptAuthorizationResponse } from '../steps/accept-response.js'
import { exchange } from '../steps/exchange.js'
import { prepareRedirect } from '../steps/prepare.js'
import type { Attempt, AttemptEvent, AttemptIn, Granted } from './attempt.js'
import { becomeClient } from './client.js'
import { dropPending, type Found, findPending, savePending, takePending } from './completion.js'
import { discover } from './discovery.js'
import { drive, type Handlers } from './drive.js'
import type { Lease } from './grant.js'
import type { HeldGrant } from './held-grant.js'
import { forgetLease, newLease, waitForLease } from './lease.js'
import { type Server, withSecret } from './server.js'

/** How long a login's exchange waits for a refresh that is under way elsewhere. */
const HAND_OVER_WAIT_MS = 10_000

/** One run of an attempt, or of the rest of it. */
export interface Login {
  readonly server: Server
  readonly held: HeldGrant
  readonly signal: AbortSignal
  readonly presentation: Pick<Presentation, 'way' | 'present'>
  /** The host carries the person itself, see `AttemptRecord`. */
  readonly carried: boolean
  /** Set where the run starts from a response that has already come: the person is not there to be asked again. */
  readonly found?: Found
}

/**
 * Drives an attempt as far as it goes: to tokens that are stored, or to a page that somebody else will bring the answer of.
 *
 * @returns the state it came to: `granted`, or `authorizing` where it is parked
 * @throws the error of the step that failed
 */
export async function runLogin(login: Login, from: Attempt): Promise<Attempt> {
  const run = new Run(login)
  try {
    const end = await drive(from, run.handlers(), (state) => run.save(state))
    if (end.phase === 'failed') throw run.failure ?? new CountersignError(end.error.code, { step: end.error.step })
    if (end.phase === 'granted') await run.handOver(end.granted)
    await run.finish()
    return end
  } catch (error) {
    await run.giveUp()
    throw error
  }
}

class Run {
  failure: CountersignError | undefined
  readonly #login: Login
  #lease: { readonly lease: Lease; readonly turn: number } | undefined
  #taken: { done(completed: boolean): Promise<void> } | undefined
  #saved: string | undefined

  constructor(login: Login) {
    this.#login = login
  }

  async save(state: Attempt): Promise<void> {
    if (state.phase !== 'authorizing' || this.#login.found !== undefined) return
    await savePending(this.#login.server.runtime, state, this.#login.carried)
    this.#saved = state.pending.state
  }

  handlers(): Handlers {
    const caught =
      <S extends Attempt>(work: (state: S) => Promise<AttemptEvent | 'parked'>) =>
      async (state: S): Promise<AttemptEvent | 'parked'> => {
        try {
          return await work(state)
        } catch (error) {
          if (!CountersignError.is(error)) throw error
          this.failure = error
          return { type: 'step_failed', error: error.toJSON() }
        }
      }
    const unsupported = caught(async (state: Attempt) => {
      throw new CountersignError('unexpected', { step: state.phase, received: 'a grant that nothing has brought in' })
    })
    return {
      discover: caught((state) => this.#discover(state)),
      register: caught((state) => this.#register(state)),
      prepare: caught((state) => this.#prepare(state)),
      present: caught((state) => this.#present(state)),
      exchange: caught((state) => this.#exchange(state)),
      acquire: unsupported,
      poll: unsupported,
    }
  }

  async #discover({ request }: AttemptIn<'discovering'>): Promise<AttemptEvent> {
    return { type: 'target_discovered', target: await discover(this.#login.server, request, this.#login.signal) }
  }

  async #register({ request, target }: AttemptIn<'registering'>): Promise<AttemptEvent> {
    const { server, presentation, signal } = this.#login
    const again = request.registered_again ?? false
    return { type: 'client_ready', client: await becomeClient(server, target, presentation, again, signal) }
  }

  async #prepare({ target, client }: AttemptIn<'preparing'>): Promise<AttemptEvent> {
    const { runtime, context, options, url } = this.#login.server
    const pending = await prepareRedirect(context, target, client, {
      redirect_uri: client.redirect_uri ?? '',
      serverUrl: url,
      allowPrivate: options.allowPrivate,
      lifetimeMs: runtime.loginTimeoutMs,
      login_hint: options.loginHint,
      parameters: options.compatibility?.authorizationParameters,
    })
    return { type: 'request_prepared', pending }
  }

  async #present({ target, pending }: AttemptIn<'authorizing'>): Promise<AttemptEvent | 'parked'> {
    const { server, presentation, signal } = this.#login
    const { runtime } = server
    runtime.emit({ type: 'login_waiting', level: 'info', url: server.url })
    const { clock } = runtime
    const answer = await withDeadline(
      {
        clock,
        timeoutMs: pending.expires_at - clock.now(),
        signal,
        onTimeout: () => new CountersignError('login_timeout', { step: 'present', url: target.issuer }),
        onAbort: () =>
          new CountersignError('login_cancelled', { step: 'present', url: server.url, cause: signal.reason }),
      },
      () =>
        presentation.present({
          kind: 'redirect',
          authorizationUrl: pending.authorization_url,
          state: pending.state,
          resumed: false,
        }),
    )
    if (answer === 'parked') return 'parked'
    if (answer === 'shown') {
      throw new CountersignError('user_agent_unsuitable', { step: 'present', received: 'no authorization response' })
    }
    const code = acceptAuthorizationResponse(answer, pending, target, clock.now())
    return { type: 'code_received', state: pending.state, code }
  }

  async #exchange({ request, target, client, pending, code }: AttemptIn<'exchanging'>): Promise<AttemptEvent> {
    const { server, held, found } = this.#login
    const { runtime, context } = server
    this.#taken = await takePending(runtime, found ?? (await findPending(runtime, pending.state)))
    this.#lease = await this.#takeLease(held)
    const known = await withSecret(server, target.issuer, client)
    const tokens = await exchange(context, target, known, pending, code)
    if (tokens !== 'client_forgotten') return { type: 'tokens_issued', tokens }
    await this.#release()
    await this.#taken.done(false)
    this.#taken = undefined
    if (found === undefined) return { type: 'client_forgotten' }
    // The person is gone: another page would have to be asked for by somebody. The dead client is not used again.
    await runtime.records.drop(
      'registration',
      [target.issuer],
      (record) => record.client.client_id === client.client_id,
    )
    throw new CountersignError('client_forgotten', { step: 'exchange', url: request.url, action: 'sign_in' })
  }

  /** The result of a login must have a turn like any refresh, so that the later of the two wins. */
  async #takeLease(held: HeldGrant): Promise<{ readonly lease: Lease; readonly turn: number }> {
    const { runtime } = this.#login.server
    for (;;) {
      const seen = await waitForLease(runtime, held, HAND_OVER_WAIT_MS)
      const lease = await newLease(runtime)
      const leased = await held.apply(seen, { type: 'leased', lease: { ...lease, sent: true } })
      if (leased !== undefined) return { lease, turn: leased.grant.turn }
      forgetLease(runtime, lease.id)
    }
  }

  async handOver(granted: Granted): Promise<void> {
    const { server, held } = this.#login
    const { runtime, context, url } = server
    if (this.#lease === undefined) return
    const { lease, turn } = this.#lease
    await held.settle({ type: 'granted', turn, id: lease.id, grant: randomId(runtime.random), granted })
    const { target, tokens } = granted
    // That a server keeps offline_access to itself narrows nothing that a request could notice.
    if (tokens.scope !== undefined && !includesScope(`${tokens.scope} offline_access`, target.scope)) {
      const expected = target.scope ?? ''
      context.diagnose({ code: 'scope_narrowed', url, expected, received: tokens.scope })
    }
    if (tokens.expires_at !== undefined && tokens.expires_at <= tokens.issued_at) {
      const received = 'a token that has expired already'
      context.diagnose({ code: 'token_born_expired', url: target.token_endpoint, expected: 'expires_in', received })
    }
  }

  async finish(): Promise<void> {
    if (this.#lease !== undefined) forgetLease(this.#login.server.runtime, this.#lease.lease.id)
    await this.#taken?.done(true)
  }

  /** Leaves nothing of a login that failed: no lease, no record that a late response would find. */
  async giveUp(): Promise<void> {
    await this.#release()
    if (this.#taken !== undefined) await this.#taken.done(false)
    else if (this.#saved !== undefined) await dropPending(this.#login.server.runtime, this.#saved)
  }

  async #release(): Promise<void> {
    if (this.#lease === undefined) return
    const { id } = this.#lease.lease
    this.#lease = undefined
    forgetLease(this.#login.server.runtime, id)
    await this.#login.held.settle({ type: 'released', id })
  }
}
