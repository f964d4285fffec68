import { CountersignError } from '../errors/error.js'
import type { Json } from '../ports/json.js'
import type { Connection } from './connection.js'
import type { ConnectionCore } from './connection-core.js'
import { wait } from './patience.js'
import type { LoginEnd } from './signing-in.js'
import type { Snapshot } from './snapshot.js'

const APP_STATE_MAX_BYTES = 4_096

type AuthorizeOptions = NonNullable<Parameters<Connection['authorize']>[0]>

/** Signs in, as `Connection.authorize` says. */
export async function authorize(core: ConnectionCore, options: AuthorizeOptions): Promise<Snapshot> {
  core.open()
  const { scope, force = false, signal } = options
  const appState = appStateText(options.appState)
  const mayOpen = !core.options.credentials && core.mode !== 'never' && core.runtime.options.userAgent !== undefined
  // Nobody's click is lost by waiting for the store where no page can be opened anyway.
  if (core.held.known === undefined && !mayOpen) await core.held.read()
  if (core.instead || (!force && core.covers(scope))) return core.status.snapshot
  if (core.acquires) {
    await core.renewing.renew(signal, { scope: core.wider(scope) })
    return core.status.snapshot
  }
  if (!mayOpen) throw core.interactionRequired(core.signedIn ? 'more_scope' : 'no_login', scope)
  core.refusedScopes = undefined

  // The login has its own time limit; this one only ends a wait that nothing else would.
  const timeoutMs = 2 * core.runtime.loginTimeoutMs
  const step = 'authorize'
  const enough = force ? undefined : (): boolean => core.covers(scope)
  let joined = core.signingIn.underWay
  // Before anything is awaited: a popup has to open within the click.
  const open = (): Promise<LoginEnd> => core.signingIn.signIn({ scope: core.wider(scope), appState, unless: enough })
  const login = async (): Promise<LoginEnd> => {
    const end = await open()
    // Somebody else's login may have been for less.
    if (!joined || end === 'parked' || (!force && core.covers(scope))) return end
    joined = false
    return open()
  }
  const end = await wait(core, { step, timeoutMs, code: 'login_timeout', signal }, login).catch((error: unknown) => {
    const { url } = core
    if (signal?.aborted && !joined) core.signingIn.abandon(new CountersignError('login_cancelled', { step, url }))
    throw error
  })
  // The page is about to go away; whoever awaits this goes with it.
  return end === 'parked' ? new Promise<never>(() => undefined) : core.status.snapshot
}

/** The first half of a login that the host carries, as `Connection.beginAuthorization` says. */
export async function beginAuthorization(
  core: ConnectionCore,
  options: Parameters<Connection['beginAuthorization']>[0],
): Promise<{ readonly authorizationUrl: string; readonly state: string; readonly expiresAt: number }> {
  core.open()
  const { redirectUri, scope } = options
  if (!URL.canParse(redirectUri) || redirectUri.includes('#')) {
    throw new CountersignError('options_invalid', {
      step: 'prepare',
      expected: 'redirectUri as an absolute URL without fragment (RFC 6749 section 3.1.2)',
      received: redirectUri,
    })
  }
  // What has credentials is nobody's login.
  if (core.mode === 'never' || core.options.credentials) throw core.interactionRequired('no_login', scope)
  const { pending } = await core.signingIn.beginCarried(redirectUri, {
    scope,
    appState: appStateText(options.appState),
  })
  return { authorizationUrl: pending.authorization_url, state: pending.state, expiresAt: pending.expires_at }
}

function appStateText(appState: Json | undefined): string | undefined {
  if (appState === undefined) return undefined
  const text = JSON.stringify(appState)
  const bytes = new TextEncoder().encode(text).length
  if (bytes <= APP_STATE_MAX_BYTES) return text
  throw new CountersignError('options_invalid', {
    step: 'prepare',
    expected: `appState of at most ${APP_STATE_MAX_BYTES} bytes`,
    received: `${bytes} bytes`,
  })
}
