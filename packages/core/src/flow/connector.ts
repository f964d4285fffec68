import { CountersignError } from '../errors/error.js'
import { callbackParameters, readAuthorizationResponse } from '../messages/authorization-response.js'
import type { Json } from '../ports/json.js'
import { awaitCompletion, type Found, findPending } from './completion.js'
import { type Connection, createConnection } from './connection.js'
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

interface Entry {
  readonly ref: WeakRef<Connection>
  readonly core: WeakRef<ConnectionCore>
  readonly options: ServerOptions
}

/**
 * Creates a connector. No I/O, no timer, no global is touched.
 *
 * @throws CountersignError `options_invalid`
 */
export function createConnector(options: ConnectorOptions = {}): Connector {
  const runtime = createRuntime(options)
  const held = new Map<string, Entry>()
  const collected = new FinalizationRegistry<string>((key) => {
    if (held.get(key)?.ref.deref() === undefined) held.delete(key)
  })

  const open = (
    url: string | URL,
    given: ServerOptions & { account?: string },
  ): { connection: Connection; core: ConnectionCore } => {
    if (runtime.closed) throw new CountersignError('connector_closed', { step: 'connect' })
    const { account, ...own } = given
    const at = normaliseServerUrl(url)
    const key = JSON.stringify([at, account ?? null])
    const entry = held.get(key)
    const connection = entry?.ref.deref()
    const core = entry?.core.deref()
    if (entry !== undefined && connection !== undefined && core !== undefined) {
      if (Object.keys(own).length > 0 && !sameOptions(own, entry.options)) {
        throw new CountersignError('connection_conflict', {
          step: 'connect',
          url: at,
          expected: `options ${Object.keys(entry.options).join(', ') || '(none)'} as before`,
          received: Object.keys(own).join(', '),
        })
      }
      return { connection, core }
    }
    const fresh = new ConnectionCore(runtime, at, account, serverOptions(options, at, own))
    const made = createConnection(fresh)
    held.set(key, { ref: new WeakRef(made), core: new WeakRef(fresh), options: own })
    collected.register(made, key)
    return { connection: made, core: fresh }
  }

  const close = async (): Promise<void> => {
    runtime.closed = true
    const reason = new CountersignError('connector_closed', { step: 'connect' })
    for (const work of runtime.working) work.cancel?.(reason)
    await Promise.all([...runtime.working].map((work) => work.done))
  }

  return {
    connect: (url, own = {}) => open(url, own).connection,
    completeAuthorization: (callback, expected = {}) => complete(runtime, open, callback, expected),
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Open = (url: string, options: { account?: string }) => { connection: Connection; core: ConnectionCore }

async function complete(
  runtime: Runtime,
  open: Open,
  callback: string | URL | URLSearchParams,
  expected: Expected,
): Promise<Completed> {
  const parameters = callbackParameters(callback)
  const read = readAuthorizationResponse(parameters)
  const state = 'value' in read ? read.value.state : undefined
  if (state === undefined) {
    throw new CountersignError('state_mismatch', {
      step: 'authorize',
      expected: 'a callback with one state',
      received: 'none',
    })
  }
  const found = await findPending(runtime, state)
  const { url, account, app_state, carried } = summary(found)
  check({ account, carried }, state, expected)
  const { connection, core } = open(url, account === undefined ? {} : { account })
  await runtime.completions.run(state, async () => {
    const { record } = found
    if ('attempt' in record) return core.signingIn.complete(found, record, parameters)
    // Another page or process has it: its code is spent, what it brings is in the store.
    if (record.completed || (await awaitCompletion(runtime, found.key))) return core.held.read()
    throw new CountersignError('login_not_found', { step: 'authorize', url })
  })
  return { connection, appState: app_state === undefined ? undefined : JSON.parse(app_state) }
}

interface Summary {
  readonly url: string
  readonly account: string | undefined
  readonly app_state: string | undefined
  readonly carried: boolean
}

function summary({ record }: Found): Summary {
  const { url, account, app_state } = 'attempt' in record ? record.attempt.request : record
  return { url, account, app_state, carried: record.carried }
}

/** Before the pending record is consumed: a response that another session brings must not end this one's login. */
function check(login: Pick<Summary, 'account' | 'carried'>, state: string, expected: Expected): void {
  const step = 'authorize'
  if (expected.state === undefined ? login.carried : expected.state !== state) {
    throw new CountersignError('state_mismatch', {
      step,
      expected: 'the state of the session that began this login',
      received: expected.state === undefined ? 'no state from the session' : 'another state',
    })
  }
  const due = login.account !== undefined && (login.carried || expected.account !== undefined)
  if (due ? expected.account !== login.account : expected.account !== undefined && login.account === undefined) {
    throw new CountersignError('account_mismatch', {
      step,
      expected: 'the account that began this login',
      received: expected.account === undefined ? 'no account' : 'another account',
    })
  }
}
