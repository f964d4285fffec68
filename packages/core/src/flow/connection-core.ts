import type { RegisteredClient } from '../credentials/registered-client.js'
import { CountersignError, type InteractionNeed } from '../errors/error.js'
import { createHttp } from '../http/http.js'
import type { Diagnostic, LogEvent } from '../ports/log.js'
import { defined } from '../primitives/defined.js'
import { includesScope, unionScope } from '../primitives/scope.js'
import { SingleFlight } from '../primitives/single-flight.js'
import type { StepContext } from '../steps/context.js'
import type { Request } from './attempt.js'
import type { Connection } from './connection.js'
import type { GrantCredentials, StaticCredentials } from './credentials.js'
import { renewable, targetOf, tokensOf, usable } from './current-token.js'
import type { Proving } from './dpop.js'
import { HeldGrant } from './held-grant.js'
import type { Listing } from './issuers.js'
import type { ServerOptions } from './options.js'
import { Renewing } from './renewing.js'
import type { Runtime } from './runtime.js'
import { SigningIn } from './signing-in.js'
import { Status } from './status.js'

/** One grant and everything that works on it, behind the public Connection and its `fetch`. */
export class ConnectionCore {
  readonly runtime: Runtime
  readonly url: string
  readonly origin: string
  readonly account: string | undefined
  /** What `connect` was given, and what it comes to with the connector's options. */
  own: ServerOptions
  options: ServerOptions
  readonly status: Status = new Status(this)
  readonly renewing: Renewing = new Renewing(this)
  readonly signingIn: SigningIn = new SigningIn(this)
  readonly held: HeldGrant
  connection: Connection | undefined
  /** What the server's last refusals said. */
  challenge: Request['challenge'] | undefined
  /** What is known of whether the resource still lists the issuer of the login. */
  listing: Listing | undefined
  /** Whether discovery may go by what is stored: only the first one of a connection. */
  mayUseCache = true
  /** Challenged scopes that the host or the person refused; `authorize()` forgets them. */
  refusedScopes: Set<string> | undefined
  /** The client that the host was asked for. */
  told: RegisteredClient | undefined
  /** Origins that a diagnostic has named. */
  foreign: Set<string> | undefined
  #asking: SingleFlight<boolean> | undefined

  constructor(runtime: Runtime, url: string, account: string | undefined, own: ServerOptions, options: ServerOptions) {
    this.runtime = runtime
    this.url = url
    this.origin = new URL(url).origin
    this.account = account
    this.own = own
    this.options = options
    const changed = (): void => {
      this.renewing.grantChanged()
      this.status.set({ personNeeded: false })
    }
    this.held = new HeldGrant(runtime, url, account, changed, (...step) => this.proving?.applied(this, ...step))
  }

  /** Takes the options of the first `connect` that gives any. */
  adopt(own: ServerOptions, options: ServerOptions): void {
    this.own = own
    this.options = options
  }

  /** What the steps work with; made when one is about to run, so that an idle connection holds none of it. */
  get context(): StepContext {
    const { runtime, url, options } = this
    const { clock, random, oauthFetch, requestTimeoutMs } = runtime
    const http = createHttp({
      fetch: oauthFetch,
      clock,
      timeoutMs: requestTimeoutMs,
      serverUrl: url,
      allowPrivate: options.allowPrivate,
      trace: (exchange) => this.emit('exchange', 'debug', { exchange }),
    })
    const strict = runtime.options.strict ?? false
    return {
      http,
      clock,
      random,
      strict,
      diagnose: (diagnostic) => this.emit('diagnostic', 'warn', { diagnostic }),
      proofs: () => this.needProving().proofs(this),
    }
  }

  /** @throws CountersignError `connector_closed` */
  open(): void {
    if (this.runtime.closed) throw new CountersignError('connector_closed', { step: 'connect', url: this.url })
  }

  get signedIn(): boolean {
    return tokensOf(this.held.known) !== undefined
  }

  /** Whether the person ended the login: then no request opens another. */
  get signedOut(): boolean {
    return this.held.known?.phase === 'absent' && this.held.known.got > 0
  }

  /** How tokens come without a person. */
  get acquires(): GrantCredentials | undefined {
    const { credentials } = this.options
    return credentials?.kind === 'grant' ? (credentials as GrantCredentials) : undefined
  }

  /** What stands in for OAuth. */
  get instead(): StaticCredentials | undefined {
    const { credentials } = this.options
    return credentials?.kind === 'static' ? (credentials as StaticCredentials) : undefined
  }

  /** What makes proofs of possession, where the host has brought that in. */
  get proving(): Proving | undefined {
    return (this.options.dpop || undefined) as Proving | undefined
  }

  /** @throws CountersignError `dpop_required` */
  needProving(): Proving {
    if (this.proving) return this.proving
    const expected = 'a token that is bound to a key (RFC 9449)'
    throw new CountersignError('dpop_required', { step: 'authorize', url: this.url, expected })
  }

  /** What is held has a key, and the host has switched proofs off since: bound tokens are as good as none then. */
  get switchedOff(): boolean {
    return this.options.dpop === false && targetOf(this.held.known)?.dpop_key_id !== undefined
  }

  /** Whether new tokens can be had without asking a person. */
  get renewable(): boolean {
    return this.acquires ? !this.signedOut : renewable(this.held.known)
  }

  get mode(): NonNullable<ServerOptions['interaction']> {
    const ownAgent = this.runtime.options.userAgent?.onDemand && this.account === undefined
    return this.options.interaction ?? (ownAgent ? 'on-demand' : 'explicit')
  }

  /** Step-ups that the host is being asked about, by scope. */
  get asking(): SingleFlight<boolean> {
    this.#asking ??= new SingleFlight()
    return this.#asking
  }

  refuseScope(scope: string): void {
    this.refusedScopes ??= new Set()
    this.refusedScopes.add(scope)
  }

  /** The scope that a new login must cover: all that was asked for before, and more. */
  wider(...more: readonly (string | undefined)[]): string | undefined {
    return unionScope(targetOf(this.held.known)?.scope, ...more)
  }

  /** Whether what is held covers a scope. A server that does not say what it granted, granted what was asked (RFC 6749 section 5.1). */
  covers(scope: string | undefined): boolean {
    const grant = this.held.known
    const tokens = tokensOf(grant)
    if (tokens === undefined || this.status.personNeeded) return false
    if (tokens.token_type === 'DPoP' && this.switchedOff) return false
    if (!this.renewable && !usable(tokens, this.runtime.clock.now())) return false
    return includesScope(tokens.scope ?? this.wider(), scope)
  }

  /** The error for what only a person can help with. */
  interactionRequired(reason: InteractionNeed['reason'], scope?: string): CountersignError {
    const { url, account, options, challenge } = this
    const wanted = scope ?? this.wider(options.scope ?? challenge?.scope)
    const interaction = defined({ url, reason, account, scope: wanted })
    const why = { no_login: 'no login', login_ended: 'a login that has ended', more_scope: 'a call for more scope' }
    const received = this.signedOut ? 'a sign-out' : why[reason]
    const asked = wanted === undefined ? undefined : `a login for ${wanted}`
    return new CountersignError('interaction_required', {
      step: 'authorize',
      url,
      expected: asked,
      received,
      interaction,
    })
  }

  emit(type: LogEvent['type'], level: LogEvent['level'], more: Partial<LogEvent> = {}): void {
    const { url, account, runtime } = this
    runtime.emit({ type, level, ...defined({ url, account }), ...more })
  }

  diagnose(diagnostic: Omit<Diagnostic, 'url'>): void {
    this.emit('diagnostic', 'warn', { diagnostic: { ...diagnostic, url: this.url } })
  }
}
