import { CountersignError, type InteractionNeed } from '../errors/error.js'
import type { Diagnostic } from '../ports/log.js'
import { defined } from '../primitives/defined.js'
import { includesScope, unionScope } from '../primitives/scope.js'
import { SingleFlight } from '../primitives/single-flight.js'
import type { Request } from './attempt.js'
import { forgetClient } from './client.js'
import { renewable, tokensOf, usable } from './current-token.js'
import { HeldGrant } from './held-grant.js'
import type { ServerOptions } from './options.js'
import { Renewing } from './renewing.js'
import type { Runtime } from './runtime.js'
import { createServer, type Server } from './server.js'
import { signOut } from './sign-out.js'
import { SigningIn } from './signing-in.js'
import { Status } from './status.js'

/** One grant and everything that works on it, behind the public Connection and its `fetch`. */
export class ConnectionCore {
  readonly runtime: Runtime
  readonly url: string
  readonly origin: string
  readonly account: string | undefined
  readonly options: ServerOptions
  readonly status: Status
  readonly held: HeldGrant
  readonly renewing: Renewing
  readonly signingIn: SigningIn
  /** What the server's last refusals said. */
  challenge: Request['challenge'] | undefined
  #asking: SingleFlight<boolean> | undefined
  /** Challenged scopes that the host or the person refused; `authorize()` forgets them. */
  refusedScopes: Set<string> | undefined
  /** Origins that a diagnostic has named. */
  foreign: Set<string> | undefined

  constructor(runtime: Runtime, url: string, account: string | undefined, options: ServerOptions) {
    this.runtime = runtime
    this.url = url
    this.origin = new URL(url).origin
    this.account = account
    this.options = options
    this.renewing = new Renewing(this)
    this.signingIn = new SigningIn(this)
    this.status = new Status(() => ({
      grant: this.held.known,
      signingIn: this.signingIn.underWay,
      refreshing: this.renewing.underWay,
      now: runtime.clock.now(),
    }))
    this.held = new HeldGrant(runtime, url, account, () => {
      this.status.personNeeded = false
      this.renewing.grantChanged()
      this.status.changed()
    })
  }

  /** What the steps work with; made when one is about to run. */
  get server(): Server {
    return createServer(this.runtime, this.url, this.account, this.options)
  }

  /** @throws CountersignError `connector_closed` */
  open(): void {
    if (this.runtime.closed) throw new CountersignError('connector_closed', { step: 'connect', url: this.url })
  }

  get signedIn(): boolean {
    return tokensOf(this.held.known) !== undefined
  }

  /** Step-ups that the host is being asked about, by scope. */
  get asking(): SingleFlight<boolean> {
    this.#asking ??= new SingleFlight()
    return this.#asking
  }

  refuseScope(scope: string | undefined): void {
    this.refusedScopes ??= new Set()
    if (scope !== undefined) this.refusedScopes.add(scope)
  }

  /** Whether the person ended the login: then no request opens another. */
  get signedOut(): boolean {
    return this.held.known?.phase === 'absent' && this.held.known.got > 0
  }

  get mode(): NonNullable<ServerOptions['interaction']> {
    const { interaction } = this.options
    if (interaction !== undefined) return interaction
    return this.runtime.options.userAgent?.onDemand && this.account === undefined ? 'on-demand' : 'explicit'
  }

  /** The scope that a new login must cover: all that was asked for before, and more. */
  wider(...more: readonly (string | undefined)[]): string | undefined {
    const grant = this.held.known
    const before = grant === undefined || grant.phase === 'absent' ? undefined : grant.granted.target.scope
    return unionScope(before, ...more)
  }

  /** Whether what is held covers a scope. A server that does not say what it granted, granted what was asked (RFC 6749 section 5.1). */
  covers(scope: string | undefined): boolean {
    const grant = this.held.known
    const tokens = tokensOf(grant)
    if (grant === undefined || grant.phase === 'absent' || tokens === undefined || this.status.personNeeded)
      return false
    if (!renewable(grant) && !usable(tokens, this.runtime.clock.now())) return false
    return includesScope(tokens.scope ?? grant.granted.target.scope, scope)
  }

  /** The error for what only a person can help with. */
  interactionRequired(reason: InteractionNeed['reason'], scope?: string): CountersignError {
    const { url, account } = this
    const wanted = scope ?? this.wider(this.options.scope ?? this.challenge?.scope)
    return new CountersignError('interaction_required', {
      step: 'authorize',
      url,
      interaction: defined({ url, reason, account, scope: wanted }),
    })
  }

  async signOut(alsoClient: boolean): Promise<void> {
    const { held, runtime, signingIn, status } = this
    const before = (await held.read()).grant
    signingIn.cancel(new CountersignError('login_cancelled', { step: 'sign_out', url: this.url }))
    await signOut(this.server, held)
    if (alsoClient && before.phase !== 'absent') {
      const { target, client } = before.granted
      await forgetClient(runtime, target.issuer, client?.client_id)
    }
    status.personNeeded = false
    status.failure = undefined
    status.changed()
  }

  diagnose(diagnostic: Omit<Diagnostic, 'url'>): void {
    const { url } = this
    this.runtime.emit({ type: 'diagnostic', level: 'warn', url, diagnostic: { ...diagnostic, url } })
  }
}
