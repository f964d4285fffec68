import { CountersignError } from '../errors/error.js'
import type { Presentation, ServerWays, Way } from '../ports/user-agent.js'
import { includesScope, unionScope } from '../primitives/scope.js'
import { dropPending } from './completion.js'
import type { ConnectionCore } from './connection-core.js'
import type { LoginLease } from './login-lease.js'
import type { WaitingRecord } from './records.js'

/**
 * The attempt that another process left, if this one can bring it to its end: its page is open, and comes back to where this
 * user agent can listen; or its code is polled for, and this user agent brings the grant for that.
 *
 * @param wanted - the scope that the login is to cover
 */
export async function resumeLogin(
  core: ConnectionCore,
  lease: LoginLease,
  presentation: Pick<Presentation, 'way'>,
  wanted: string | undefined,
): Promise<WaitingRecord['attempt'] | undefined> {
  const { attempt: key, redirect_uri: redirectUri } = lease.record
  if (!lease.inherited || key === undefined) return undefined
  const { records, clock } = core.runtime
  const { value } = await records.read('attempt', key)
  // Its code was taken: what became of that, only the process that is gone could say.
  if (value === undefined || !('attempt' in value)) return undefined
  const { attempt } = value
  const way = async (server: ServerWays): Promise<Way | undefined> => {
    try {
      return await presentation.way(server)
    } catch (error) {
      if (lease.signal.aborted || !CountersignError.is(error)) throw error
      // The port is somebody else's by now: the person gets a new page.
      return undefined
    }
  }
  const can = async ({ pending, target }: typeof attempt): Promise<boolean> => {
    if (pending.kind === 'device') {
      // What a process that is gone was asked for may be less.
      if (!includesScope(target.scope, unionScope(wanted, core.options.scope))) return false
      return (await way({ redirect: false, device: true }))?.kind === 'device'
    }
    if (redirectUri === undefined) return true
    const resumed = await way({ redirect: true, device: false, resume: { redirectUri, state: pending.state } })
    return resumed?.kind === 'redirect' && resumed.redirectUri === redirectUri
  }
  if (attempt.pending.expires_at > clock.now() && (await can(attempt))) {
    core.emit('login_resumed', 'info')
    return attempt
  }
  await dropPending(core.runtime, key)
  return undefined
}
