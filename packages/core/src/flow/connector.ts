import { CountersignError } from '../errors/error.js'
import { callbackParameters, readAuthorizationResponse } from '../messages/authorization-response.js'
import type { Json } from '../ports/json.js'
import { defined } from '../primitives/defined.js'
import { awaitCompletion, findPending } from './completion.js'
import { type Connection, connectionOf } from './connection.js'
import { ConnectionCore } from './connection-core.js'
import { type ConnectorOptions, normaliseServerUrl, type ServerOptions, sameOptions, serverOptions } from './options.js'
import { createRuntime, type Runtime } from './runtime.js'

/** What `completeAuthorization` is given to check the response against. */
export interface Expected {
  readonly account?: string | undefined
  readonly state?: string | undefined
}

export interface Completed {
  readonly connection: Connection
  /** What the login was begun with. */
  readonly appState: Json | undefined
}

/** The logins of one application. */
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
   * @throws CountersignError `state_mismatch`, `account_mismatch`, `login_not_found`, `issuer_mismatch`, `access_denied`,
   * `authorization_rejected`, `authorization_response_invalid`, `token_request_rejected`, `token_response_invalid`, …
   */
  completeAuthorization(callback: string | URL | URLSearchParams, expected?: Expected): Promise<Completed>
  /** Ends logins that are under way, waits for refreshes until they are stored, and refuses everything afterwards. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Creates a connector. No I/O, no timer, no global is touched.
 *
 * @throws CountersignError `options_invalid`
 */
export function createConnector(options: ConnectorOptions = {}): Connector {
  const runtime = createRuntime(options)
  const cores = new Map<string, WeakRef<ConnectionCore>>()
  const collected = new FinalizationRegistry<string>((key) => {
    if (cores.get(key)?.deref() === undefined) cores.delete(key)
  })

  const open: Open = (url, { account, ...own }) => {
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
    const names = Object.keys(own)
    if (names.length === 0 || sameOptions(own, held.own)) return held
    throw new CountersignError('connection_conflict', {
      step: 'connect',
      url: at,
      expected: `options as before: ${Object.keys(held.own).join(', ') || 'none'}`,
      received: names.join(', '),
    })
  }

  const close = async (): Promise<void> => {
    runtime.closed = true
    const reason = new CountersignError('connector_closed', { step: 'connect' })
    for (const work of runtime.working) work.cancel?.(reason)
    await Promise.all([...runtime.working].map((work) => work.done))
  }

  return {
    connect: (url, own = {}) => connectionOf(open(url, own)),
    completeAuthorization: (callback, expected = {}) => complete(runtime, open, callback, expected),
    close,
    [Symbol.asyncDispose]: close,
  }
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
  const state = 'value' in read ? read.value.state : undefined
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
    if ('attempt' in value) return core.signingIn.complete(found, value, parameters)
    // Another page or process has it: its code is spent, what it brings is in the store.
    if (!value.completed) await awaitCompletion(runtime, found.key)
    return core.held.read()
  })
  return { connection: connectionOf(core), appState: app_state === undefined ? undefined : JSON.parse(app_state) }
}
