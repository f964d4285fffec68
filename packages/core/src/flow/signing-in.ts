import { CountersignError } from '../errors/error.js'
import type { Presentation } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { acceptAuthorizationResponse } from '../steps/accept-response.js'
import { type Attempt, type AttemptIn, attempt, type Request } from './attempt.js'
import { dropPending, type Found } from './completion.js'
import type { ConnectionCore } from './connection-core.js'
import { runLogin } from './login.js'
import type { AttemptRecord } from './records.js'
import { track } from './runtime.js'
import { revokeReplaced } from './sign-out.js'

/** What a login is asked for. */
export interface Wanted {
  readonly scope?: string | undefined
  readonly appState?: string | undefined
  /** Looked at once the record has been read: true, and there is nothing to do. */
  readonly unless?: (() => boolean) | undefined
}

/** `parked`: the page goes away, and another brings the answer. */
export type LoginEnd = 'granted' | 'parked'

interface UnderWay {
  readonly done: Promise<LoginEnd>
  readonly cancel: (reason: CountersignError) => void
}

const neverAborted = (): AbortSignal => new AbortController().signal

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

  /** Opens a login, or joins the one under way. `UserAgent.begin` runs before this returns. */
  signIn(wanted: Wanted): Promise<LoginEnd> {
    this.#login ??= this.#begin(wanted)
    return this.#login.done
  }

  cancel(reason: CountersignError): void {
    this.#login?.cancel(reason)
  }

  #begin(wanted: Wanted): UnderWay {
    const { runtime, url, account, status } = this.#core
    const { userAgent } = runtime.options
    if (userAgent === undefined) throw this.#core.interactionRequired('no_login', wanted.scope)
    const stop = new AbortController()
    const presentation = userAgent.begin({ url, account, signal: stop.signal })
    const cancel = (reason: CountersignError): void => stop.abort(reason)
    const done = track(runtime, { cancel }, () => this.#run(wanted, presentation, stop))
    done.catch(() => undefined)
    status.failure = undefined
    runtime.emit({ type: 'login_started', level: 'info', url })
    queueMicrotask(() => status.changed())
    return { done, cancel }
  }

  async #run(wanted: Wanted, presentation: Presentation, stop: AbortController): Promise<LoginEnd> {
    const { server, held, status } = this.#core
    let outcome: Parameters<Presentation['end']>[0] = { ok: true }
    try {
      await held.read()
      if (wanted.unless?.()) return 'granted'
      const from: Attempt = { phase: 'discovering', request: this.#request(wanted) }
      const end = await runLogin({ server, held, presentation, signal: stop.signal, carried: false }, from)
      if (end.phase !== 'granted') return 'parked'
      await this.#succeeded()
      return 'granted'
    } catch (cause) {
      const error = CountersignError.is(stop.signal.reason) ? stop.signal.reason : cause
      // What is not ours is a defect of a port; the person still gets a page that says that it failed.
      const failure = CountersignError.is(error) ? error : new CountersignError('unexpected', { step: 'login', cause })
      outcome = { ok: false, error: failure }
      this.#failed(failure)
      throw failure
    } finally {
      this.#login = undefined
      status.changed()
      await this.#end(presentation, outcome)
    }
  }

  #request({ scope, appState }: Wanted): Request {
    const { url, account, challenge } = this.#core
    return defined({ url, by: 'person' as const, account, challenge, scope, app_state: appState })
  }

  async #end(presentation: Presentation, outcome: Parameters<Presentation['end']>[0]): Promise<void> {
    try {
      await presentation.end(outcome)
    } catch (cause) {
      // The login's own outcome stands, whatever becomes of the page that shows it.
      const received = cause instanceof Error ? cause.message : String(cause)
      this.#core.diagnose({ code: 'user_agent_end_failed', expected: 'the page closed', received })
    }
  }

  /** The first half of a login whose person the host carries itself. */
  async beginCarried(redirectUri: string, wanted: Wanted): Promise<AttemptIn<'authorizing'>> {
    const { runtime, server, held } = this.#core
    const presentation = {
      way: async () => ({ kind: 'redirect', redirectUri }) as const,
      present: async () => 'parked' as const,
    }
    return track(runtime, {}, async () => {
      await held.read()
      const from: Attempt = { phase: 'discovering', request: this.#request(wanted) }
      const end = await runLogin({ server, held, presentation, signal: neverAborted(), carried: true }, from)
      if (end.phase === 'authorizing') return end
      throw new CountersignError('unexpected', { step: 'prepare', received: end.phase })
    })
  }

  /** The second half of a login that any process began. */
  async complete(found: Found, record: AttemptRecord, parameters: URLSearchParams): Promise<void> {
    const { runtime, server, held } = this.#core
    const { pending, target } = record.attempt
    const presentation = { way: async () => undefined, present: async () => 'parked' as const }
    try {
      const code = acceptAuthorizationResponse(parameters, pending, target, runtime.clock.now())
      const from = attempt(record.attempt, { type: 'code_received', state: pending.state, code })
      const login = { server, held, presentation, signal: neverAborted(), carried: record.carried, found }
      await track(runtime, {}, () => runLogin(login, from))
      await this.#succeeded()
    } catch (error) {
      if (!CountersignError.is(error)) throw error
      const declined = error.code === 'access_denied' || error.code === 'authorization_rejected'
      if (declined) await dropPending(runtime, pending.state)
      if (declined || error.step === 'exchange') this.#failed(error)
      throw error
    }
  }

  async #succeeded(): Promise<void> {
    const { runtime, url, held, server, status } = this.#core
    // Signed out while the exchange was on its way: what it brought is revoked, and the person stays signed out.
    if (held.known?.phase === 'absent') {
      await revokeReplaced(server, held)
      throw new CountersignError('login_cancelled', { step: 'exchange', url, received: 'a sign-out meanwhile' })
    }
    status.failure = undefined
    status.personNeeded = false
    runtime.emit({ type: 'login_completed', level: 'info', url })
    status.changed()
  }

  #failed(error: CountersignError): void {
    const { runtime, url, status } = this.#core
    status.failure = error
    runtime.emit({ type: 'login_failed', level: 'warn', url, error })
    status.changed()
  }
}
