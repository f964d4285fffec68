import { CountersignError } from '../errors/error.js'
import type { AttemptIn } from './attempt.js'
import { dropPending } from './completion.js'
import { patient } from './for-person.js'
import type { LoginLease } from './login-lease.js'

/**
 * The attempt that another process left, if this one can bring it to its end: its page is open, and comes back to where this
 * user agent can listen.
 */
export async function resumeLogin(
  login: Parameters<typeof patient>[0],
  lease: LoginLease,
): Promise<AttemptIn<'authorizing'> | undefined> {
  const { core, signal } = login
  const { attempt: key, redirect_uri: redirectUri } = lease.record
  if (!lease.inherited || key === undefined) return undefined
  const { records, clock } = core.runtime
  const { value } = await records.read('attempt', key)
  // Its code was taken: what became of that, only the process that is gone could say.
  if (value === undefined || !('attempt' in value)) return undefined
  const { attempt } = value
  const { state, expires_at } = attempt.pending
  const listens = async (resume: { redirectUri: string; state: string }): Promise<boolean> => {
    try {
      const way = await patient(login).way({ redirect: true, device: false, resume })
      return way?.kind === 'redirect' && way.redirectUri === resume.redirectUri
    } catch (error) {
      if (signal.aborted || !CountersignError.is(error)) throw error
      // The port is somebody else's by now: the person gets a new page.
      return false
    }
  }
  if (expires_at > clock.now() && (redirectUri === undefined || (await listens({ redirectUri, state })))) {
    core.emit('login_resumed', 'info')
    return attempt
  }
  await dropPending(core.runtime, state)
  return undefined
}
