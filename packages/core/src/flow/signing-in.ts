import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import type { Presentation } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { acceptAuthorizationResponse } from '../steps/accept-response.js'
import { type Attempt, type AttemptIn, attempt } from './attempt.js'
import { dropPending, type Found } from './completion.js'
import type { ConnectionCore } from './connection-core.js'
import { tokensOf } from './current-token.js'
import { type Login, runLogin } from './login.js'
import { leadLogin } from './login-lease.js'
import type { WaitingRecord } from './records.js'
import { track } from './runtime.js'
import { revokeReplaced } from './sign-out.js'

/** What a login is asked for. */
export interface Wanted {
  readonly scope?: string | undefined
  readonly appState?: string | undefined
  /** Looked at once the record has been read: true, and there is nothing to do. */
  readonly unless?: (() => boolean) | undefined
  /** A request opens it: it waits until no other such login of the connector is before the person. */
  readonly queued?: true
}

/** `parked`: the page goes away, and another brings the answer. */
export type LoginEnd = 'granted' | 'parked'

/** How long a login waits for its page to show the outcome. */
const END_MS = 5_000

interface UnderWay {
  readonly done: Promise<LoginEnd>
  readonly stop: AbortController
  /** Begins what still waits in the queue: somebody asked for it. */
  readonly start: () => void
  joined: boolean
}

/** The logins of one connection: one at a time, whoever asks. */
export class SigningIn {
  readonly #core: ConnectionCore
  #login: UnderWay | undefined

  constructor(core: ConnectionCore) {
    this.#core = core
  }

  get underWay(): boolean {
    return this.#login !== undefined
  }

  /**
   * Opens a login, or joins the one under way. `UserAgent.begin` runs before this returns, unless the login is queued and stays
   * so.
   */
  signIn(wanted: Wanted): Promise<LoginEnd> {
    const underWay = this.#login
    if (underWay !== undefined) {
      underWay.joined = true
      if (!wanted.queued) underWay.start()
      return underWay.done
    }
    const core = this.#core
    const { runtime, url, account } = core
    const { userAgent } = runtime.options
    if (userAgent === undefined) throw core.interactionRequired('no_login', wanted.scope)
    const stop = new AbortController()
    let start = (): void => undefined
    const begun = new Promise<Presentation>((resolve, reject) => {
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason))
      let waiting = true
      start = () => {
        if (!waiting || stop.signal.aborted) return
        waiting = false
        try {
          resolve(userAgent.begin({ url, account, signal: stop.signal }))
          core.emit('login_started', 'info')
        } catch (cause) {
          reject(
            CountersignError.is(cause) ? cause : new CountersignError('unexpected', { step: 'present', url, cause }),
          )
        }
      }
    })
    const work = async (): Promise<LoginEnd> => {
      if (wanted.queued) runtime.queue.enter(start)
      else start()
      return this.#run(wanted, begun, stop.signal).finally(() => runtime.queue.leave(start))
    }
    const done = track(runtime, work, (reason) => stop.abort(reason))
    done.catch(() => undefined)
    this.#login = { done, stop, start, joined: false }
    queueMicrotask(() => core.status.set({ failure: undefined }))
    return done
  }

  cancel(reason: CountersignError): void {
    this.#login?.stop.abort(reason)
  }

  /** The caller that opened the login gives it up: it goes on for those who have joined. */
  abandon(reason: CountersignError): void {
    if (this.#login?.joined === false) this.cancel(reason)
  }

  async #run(wanted: Wanted, begun: Promise<Presentation>, signal: AbortSignal): Promise<LoginEnd> {
    const core = this.#core
    let presentation: Presentation | undefined
    let outcome: Parameters<Presentation['end']>[0] = { ok: true }
    try {
      presentation = await begun
      await core.held.read()
      if (wanted.unless?.()) return 'granted'
      return await this.#lead(wanted, presentation, signal)
    } catch (cause) {
      const error = CountersignError.is(signal.reason) ? signal.reason : cause
      // What is not ours is a defect of a port; the person still gets a page that says that it failed.
      const failure = CountersignError.is(error) ? error : new CountersignError('unexpected', { step: 'login', cause })
      outcome = { ok: false, error: failure }
      this.#failed(failure)
      throw failure
    } finally {
      this.#login = undefined
      core.status.set()
      await this.#end(presentation, outcome)
    }
  }

  /** Asks the person, or follows the process that does, until there is what is wanted. */
  async #lead(wanted: Wanted, presentation: Presentation, given: AbortSignal): Promise<LoginEnd> {
    const core = this.#core
    const token = (): string | undefined => tokensOf(core.held.known)?.access_token
    const before = token()
    const enough = wanted.unless ?? (() => token() !== before)
    for (;;) {
      const lease = await leadLogin(core, given, enough)
      if (lease === undefined) {
        core.emit('adopted', 'debug')
        return 'granted'
      }
      try {
        const { signal } = lease
        const end = await runLogin({ core, presentation, signal, carried: false, lease }, this.#from(wanted))
        if (end.phase !== 'granted') return 'parked'
        await this.#succeeded()
        return 'granted'
      } catch (error) {
        // Asleep for too long: another process took it over, and is the one to follow, or is done already. Or the page that the
        // response came to has completed it by itself.
        const over = CountersignError.is(error) && error.action === 'sign_in' && !given.aborted
        if (!lease.lost && !over) throw error
        await core.held.read()
        if ((!lease.lost || lease.record.id === undefined) && !enough()) throw error
      } finally {
        lease.close()
      }
    }
  }

  /** The login's own outcome stands, whatever becomes of the page that shows it. */
  async #end(presentation: Presentation | undefined, outcome: Parameters<Presentation['end']>[0]): Promise<void> {
    const core = this.#core
    const late = (): CountersignError => new CountersignError('request_timeout', { step: 'present' })
    const limits = { clock: core.runtime.clock, timeoutMs: END_MS, onTimeout: late, onAbort: late }
    await withDeadline(limits, async () => presentation?.end(outcome)).catch((cause: unknown) => {
      core.diagnose({ code: 'user_agent_end_failed', expected: 'the page closed', received: String(cause) })
    })
  }

  #from({ scope, appState }: Wanted): Attempt {
    const { url, account, challenge } = this.#core
    const request = defined({ url, by: 'person' as const, account, challenge, scope, app_state: appState })
    return { phase: 'discovering', request }
  }

  /** The first half of a login whose person the host carries itself. */
  async beginCarried(redirectUri: string, wanted: Wanted): Promise<AttemptIn<'authorizing'>> {
    const core = this.#core
    const login = { core, ...elsewhere(redirectUri), carried: true }
    return track(core.runtime, async () => {
      await core.held.read()
      const end = await runLogin(login, this.#from(wanted))
      if (end.phase !== 'authorizing')
        throw new CountersignError('unexpected', { step: 'prepare', received: end.phase })
      // The connection has options of its own, which the second half needs: it must not be collected meanwhile.
      const { carried, clock } = core.runtime
      for (const [state, { until }] of carried) if (until <= clock.now()) carried.delete(state)
      carried.set(end.pending.state, { core, until: end.pending.expires_at })
      return end
    })
  }

  /** The second half of a login that any process began. */
  async complete(
    found: Found,
    { attempt: waiting, carried }: WaitingRecord,
    parameters: URLSearchParams,
  ): Promise<void> {
    const core = this.#core
    const { pending, target } = waiting
    // What is polled for is answered by no response.
    if (pending.kind !== 'redirect') throw new CountersignError('login_not_found', { step: 'authorize' })
    try {
      const code = acceptAuthorizationResponse(parameters, pending, target, core.runtime.clock.now())
      const from = attempt(waiting, { type: 'code_received', state: pending.state, code })
      await track(core.runtime, () => runLogin({ core, ...elsewhere(pending.redirect_uri), carried, found }, from))
      await this.#succeeded()
    } catch (error) {
      if (!CountersignError.is(error)) throw error
      const declined = error.code === 'access_denied' || error.code === 'authorization_rejected'
      const dropped = declined && (await dropPending(core.runtime, found.key))
      if (dropped) core.proving?.drop(core, target)
      if (declined || error.step === 'exchange') this.#failed(error)
      throw error
    }
  }

  async #succeeded(): Promise<void> {
    const core = this.#core
    // Signed out while the exchange was on its way: what it brought is revoked, and the person stays signed out.
    if (core.held.known?.phase === 'absent') {
      await revokeReplaced(core)
      throw new CountersignError('login_cancelled', { step: 'exchange', url: core.url, received: 'a sign-out' })
    }
    core.emit('login_completed', 'info')
    core.status.set({ failure: undefined, personNeeded: false })
  }

  #failed(error: CountersignError): void {
    const core = this.#core
    core.emit('login_failed', 'warn', { error })
    // Who has just signed out knows why the login is over.
    core.status.set({ failure: core.signedOut && error.code === 'login_cancelled' ? undefined : error })
  }
}

/** A login whose person is at another page: nothing is shown here. */
const elsewhere = (redirectUri: string): Pick<Login, 'presentation' | 'signal'> => ({
  presentation: { way: async () => ({ kind: 'redirect', redirectUri }), present: async () => 'parked' },
  signal: new AbortController().signal,
})
