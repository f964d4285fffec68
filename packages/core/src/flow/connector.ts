import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import { callbackParameters, readAuthorizationResponse } from '../messages/authorization-response.js'
import type { Json } from '../ports/json.js'
import { defined } from '../primitives/defined.js'
import { awaitCompletion, findPending } from './completion.js'
import { type Connection, connectionOf } from './connection.js'
import { ConnectionCore } from './connection-core.js'
import { type ConnectorOptions, differences, normaliseServerUrl, type ServerOptions, serverOptions } from './options.js'
import { createRuntime, type Runtime, track } from './runtime.js'
import { signOut } from './sign-out.js'
import { type StoredConnection, storedConnections } from './stored-connections.js'

/** What `completeAuthorization` is given to check the response against. */
export interface Expected {
  /** The account of the session that brings the response. */
  readonly account?: string | undefined
  /** The `state` that `beginAuthorization` gave to that session. */
  readonly state?: string | undefined
}

/** What a login that was completed leads to. */
export interface Completed {
  /** Of the server and account that the login was begun for; signed in. */
  readonly connection: Connection
  /** What the login was begun with. */
  readonly appState: Json | undefined
}

/** The logins of one application. In a page over http that is not on loopback, what needs the store throws `insecure_context`. */
export interface Connector {
  /**
   * The connection of a server. No I/O. The same URL (fragment dropped, query kept) and account give the same connection.
   *
   * @throws CountersignError `connection_conflict` where it is held with other options (functions compare by identity; giving
   * none never conflicts), `options_invalid`, `connector_closed`
   */
  connect(url: string | URL, options?: ServerOptions & { readonly account?: string }): Connection
  /**
   * The second half of a login, in whichever process or page the response reaches. Reads the query alone. A response that is
   * delivered twice gets the same connection, and nothing is sent twice.
   *
   * @param expected - of a login that `beginAuthorization` began, the `state` must be given again, and the account if it had one
   * @throws CountersignError of the response `state_mismatch`, `account_mismatch`, `login_not_found`, `issuer_mismatch`,
   * `access_denied`, `authorization_rejected`, `authorization_response_invalid`, `login_timeout` (it came too late); of the tokens
   * `token_request_rejected`, `token_response_invalid`, `client_forgotten`, `client_authentication_unsupported`,
   * `server_unavailable`, `network_error`, `cross_origin_blocked`, `request_timeout`, `redirect_refused`, `response_too_large`,
   * `url_not_allowed`; `login_cancelled` (a sign-out meanwhile), `options_invalid` (the supplier of the client's secret failed),
   * `store_unavailable`, `connector_closed`
   */
  completeAuthorization(callback: string | URL | URLSearchParams, expected?: Expected): Promise<Completed>
  /**
   * The logins that the store holds for this `appId`, by URL and account, whichever process signed in. One that cannot be read is
   * left out, with a diagnostic.
   *
   * @throws CountersignError `store_unavailable`, `connector_closed`
   */
  connections(): Promise<readonly StoredConnection[]>
  /**
   * Signs out every connection of an account, as `Connection.signOut` does, those too that nobody holds. What can be ended is
   * ended, whatever fails beside it.
   *
   * @throws CountersignError `store_unavailable`, `options_invalid`, `connector_closed`
   */
  signOut(which: { readonly account: string }): Promise<void>
  /**
   * Ends logins that are under way, waits for refreshes until they are stored, at most four times `requestTimeoutMs`, and refuses
   * everything afterwards with `connector_closed`. Does not fail.
   */
  close(): Promise<void>
  /** As `close`: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Creates a connector. No I/O, no timer, no global is touched.
 *
 * @throws CountersignError `options_invalid`
 */
export function createConnector(options: ConnectorOptions = {}): Connector {
  if (options.credentials && options.userAgent) {
    const expected = 'credentials or userAgent: what has credentials asks nobody'
    throw new CountersignError('options_invalid', { step: 'connect', expected, received: 'both' })
  }
  const runtime = createRuntime(options)
  const cores = new Map<string, WeakRef<ConnectionCore>>()
  const collected = new FinalizationRegistry<string>((key) => {
    if (cores.get(key)?.deref() === undefined) cores.delete(key)
  })

  const open: Open = (url, { account, ...given }) => {
    const own: ServerOptions = defined(given)
    if (runtime.closed) throw new CountersignError('connector_closed', { step: 'connect' })
    const at = normaliseServerUrl(url)
    const key = JSON.stringify([at, account])
    const held = cores.get(key)?.deref()
    if (held === undefined) {
      const core = new ConnectionCore(runtime, at, account, own, serverOptions(options, at, own))
      cores.set(key, new WeakRef(core))
      collected.register(core, key)
      return core
    }
    if (Object.keys(own).length === 0) return held
    // Opened by a completion, which knows no options: the first that are given are the connection's.
    if (Object.keys(held.own).length === 0) held.adopt(own, serverOptions(options, at, own))
    const differing = differences(own, held.own)
    if (differing.length === 0) return held
    throw new CountersignError('connection_conflict', {
      step: 'connect',
      url: at,
      expected: 'the options that it is held with',
      received: `another ${differing.join(', ')}`,
    })
  }

  const close = async (): Promise<void> => {
    runtime.closed = true
    const reason = new CountersignError('connector_closed', { step: 'connect' })
    for (const core of runtime.listening.values()) core.status.unfollow()
    for (const work of runtime.working) work.cancel?.(reason)
    const done = Promise.all([...runtime.working].map((work) => work.done))
    // A store or a user agent that never answers is the host's own; nothing of ours lasts longer than a lease.
    await withDeadline(
      { clock: runtime.clock, timeoutMs: 4 * runtime.requestTimeoutMs, onTimeout: () => reason, onAbort: () => reason },
      () => done,
    ).catch(() => undefined)
  }

  return {
    connect: (url, own = {}) => connectionOf(open(url, own)),
    completeAuthorization: (callback, expected = {}) => complete(runtime, open, callback, expected),
    connections: async () => track(runtime, () => storedConnections(runtime)),
    signOut: async ({ account }) => {
      // Not those without one: an account that is undefined by mistake must end nobody's login.
      if (typeof account !== 'string') {
        throw new CountersignError('options_invalid', { step: 'sign_out', expected: 'signOut({ account })' })
      }
      await track(runtime, () => signOutAccount(runtime, account, open, [...cores.values()]))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** @param held - the connections of this connector: one may have a login under way, and nothing stored yet */
async function signOutAccount(
  runtime: Runtime,
  account: string,
  open: Open,
  held: readonly WeakRef<ConnectionCore>[],
): Promise<void> {
  const mine = held.flatMap((ref) => ref.deref() ?? []).filter((core) => core.account === account)
  const out = mine.map((core) => signOut(core, false))
  const others = (async () => {
    const stored = (await storedConnections(runtime)).filter((each) => each.account === account)
    const cores = stored.map(({ url }) => open(url, { account })).filter((core) => !mine.includes(core))
    await everyOne(cores.map((core) => signOut(core, false)))
  })()
  await everyOne([...out, others])
}

/** Waits for all of them. @throws what the first of them failed with */
async function everyOne(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work)
  await Promise.all(work)
}

type Open = (url: string | URL, options: ServerOptions & { readonly account?: string }) => ConnectionCore

async function complete(
  runtime: Runtime,
  open: Open,
  callback: string | URL | URLSearchParams,
  expected: Expected,
): Promise<Completed> {
  const step = 'authorize'
  const parameters = callbackParameters(callback)
  const read = readAuthorizationResponse(parameters)
  if ('invalid' in read) throw new CountersignError('authorization_response_invalid', { step, ...read.invalid })
  const { state } = read.value
  if (state === undefined) {
    throw new CountersignError('state_mismatch', { step, expected: 'a callback with one state', received: 'none' })
  }
  const found = await findPending(runtime, state)
  const { value } = found
  const { url, account, app_state, carried } = value

  // Before the record is taken: a response that another session brings must not end this one's login.
  const check = (what: 'state' | 'account', given: string | undefined, due: string | undefined): void => {
    if (given === due || (given === undefined && !carried)) return
    throw new CountersignError(`${what}_mismatch`, {
      step,
      url,
      expected: `the ${what} of the session that began this login`,
      received: given === undefined ? `no ${what} from the session` : `another ${what}`,
    })
  }
  check('state', expected.state, state)
  check('account', expected.account, account)

  const core = open(url, defined({ account }))
  await runtime.completions.run(state, async () => {
    try {
      if ('attempt' in value) return await core.signingIn.complete(found, value, parameters)
    } catch (error) {
      if (!CountersignError.is(error) || error.code !== 'login_not_found') throw error
    }
    // Another page or process has taken it: its code is spent, and what it brings is in the store.
    await awaitCompletion(runtime, found.key)
    return core.held.read()
  })
  runtime.carried.delete(state)
  return { connection: connectionOf(core), appState: app_state === undefined ? undefined : JSON.parse(app_state) }
}
