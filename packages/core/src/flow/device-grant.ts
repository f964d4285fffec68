import { CountersignError } from '../errors/error.js'
import { DEVICE_CODE } from '../messages/device-authorization.js'
import type { Tokens } from '../messages/token-response.js'
import type { DeviceGrant } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { authorizeDevice, type PendingDevice } from '../steps/authorize-device.js'
import { codeExpired, poll } from '../steps/poll.js'
import type { AttemptEvent, AttemptIn } from './attempt.js'
import { dropPending } from './completion.js'
import type { ConnectionCore } from './connection-core.js'
import type { Device } from './device.js'
import { forPerson } from './for-person.js'
import { takeTurn } from './lease.js'
import type { Holding, Login } from './login.js'
import { withSecret } from './secrets.js'

/** How long a code is polled for at most where `loginTimeoutMs` is not set: longer than most live. */
const MOST_MS = 900_000
/** What each slow_down adds, in seconds (RFC 8628 section 3.5). */
const SLOWER = 5
/** The longest that a server which does not answer is left alone, unless its own interval is longer. */
const BACK_OFF_MS = 60_000

/**
 * The device authorization grant (RFC 8628), for a user agent whose `way` is `{ kind: 'device', grant: deviceGrant() }`: the
 * person enters a code at a page that is open anywhere, and this process polls for the tokens.
 *
 * @throws CountersignError, when it is used: `login_timeout` (the code expired), `access_denied`
 * @example
 * ```ts
 * way: async ({ device }) => (device ? { kind: 'device', grant: deviceGrant() } : undefined)
 * ```
 */
export const deviceGrant = (): DeviceGrant => {
  const made: Device = { kind: 'device', grantType: DEVICE_CODE, prepare, poll: polled }
  return made
}

async function prepare(
  core: ConnectionCore,
  { target, client }: AttemptIn<'preparing'>,
): Promise<PendingDevice | undefined> {
  const { context, url, options, runtime } = core
  return authorizeDevice(context, target, await withSecret(core, target.issuer, client), {
    serverUrl: url,
    allowPrivate: options.allowPrivate,
    lifetimeMs: runtime.options.loginTimeoutMs ?? MOST_MS,
  })
}

async function polled(login: Login, holding: Holding, state: AttemptIn<'polling'>): Promise<AttemptEvent> {
  const { core } = login
  const { waiting = '' } = holding
  // The turn comes before the first poll, so that a sign-out meanwhile is later than what comes of it; the lease is not held
  // while a person thinks.
  holding.lease ??= await takeTurn(core)
  await core.held.settle({ type: 'released', id: holding.lease.id })
  const tokens = await pollUntilDone(login, state)
  if (tokens === 'client_forgotten') {
    await dropPending(core.runtime, waiting)
    return { type: tokens }
  }
  holding.taken = () => dropPending(core.runtime, waiting)
  return { type: 'tokens_issued', tokens }
}

async function pollUntilDone(login: Login, state: AttemptIn<'polling'>): Promise<Tokens | 'client_forgotten'> {
  const { core, signal } = login
  const { clock } = core.runtime
  const { target, client } = state
  const known = await withSecret(core, target.issuer, client)
  const over = new AbortController()
  const give = (): void => over.abort(signal.reason)
  signal.addEventListener('abort', give)
  if (signal.aborted) give()
  let broken: unknown
  // Shown while it is polled: a host's function may wait for the person too.
  show(login, state, over.signal).catch((error: unknown) => {
    broken = error
    over.abort()
  })
  let { pending } = state
  try {
    for (let failures = 0, notBefore = 0; ; ) {
      const { expires_at, interval } = pending
      const usualMs = interval * 1000
      const backOffMs = Math.max(usualMs, Math.min(usualMs * 2 ** failures, BACK_OFF_MS))
      const now = clock.now()
      await clock.sleep(Math.max(0, Math.min(Math.max(backOffMs, notBefore - now), expires_at - now)), over.signal)
      if (broken !== undefined) throw broken
      if (clock.now() >= expires_at) throw codeExpired(target, 'no approval')
      // Who was asleep for long finds that another process polls by now.
      await login.lease?.renew()
      if (signal.aborted) throw cancelled(login)
      // Not to be aborted: the answer may be the tokens, which come once.
      const answer = await poll(core.context, target, known, pending)
      if (answer === 'client_forgotten') return answer
      if (CountersignError.is(answer)) {
        failures++
        notBefore = answer.retryAt ?? 0
      } else if (typeof answer === 'object') {
        return answer
      } else {
        failures = notBefore = 0
        if (answer === 'slow_down') {
          pending = { ...pending, interval: interval + SLOWER }
          await keep(core, { ...state, pending })
        }
      }
    }
  } finally {
    signal.removeEventListener('abort', give)
    over.abort()
  }
}

/** Whoever goes on with this login is as slow as this one was told to be. */
async function keep(core: ConnectionCore, attempt: AttemptIn<'polling'>): Promise<void> {
  const { records } = core.runtime
  const { id, expires_at } = attempt.pending
  const key = await records.key('attempt', [id])
  try {
    const { raw, value } = await records.read('attempt', key)
    if (value && 'attempt' in value) await records.write(key, raw, { ...value, attempt }, expires_at)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    core.emit('kept', 'warn', { error })
  }
}

const cancelled = ({ core: { url }, signal }: Login): CountersignError =>
  new CountersignError('login_cancelled', { step: 'poll', url, cause: signal.reason })

async function show(
  { core, presentation }: Login,
  { pending }: AttemptIn<'polling'>,
  signal: AbortSignal,
): Promise<void> {
  const { user_code, verification_uri, verification_uri_complete, expires_at } = pending
  core.emit('login_waiting', 'info')
  const answer = await forPerson({ core, signal }, expires_at - core.runtime.clock.now(), () =>
    presentation.present({
      kind: 'device',
      ...defined({
        userCode: user_code,
        verificationUri: verification_uri,
        verificationUriComplete: verification_uri_complete,
        expiresAt: expires_at,
      }),
    }),
  )
  if (answer === 'shown') return
  const received = answer === 'parked' ? answer : 'an authorization response'
  throw new CountersignError('user_agent_unsuitable', { step: 'present', expected: 'shown', received })
}
