import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import type { Presentation } from '../ports/user-agent.js'
import type { ConnectionCore } from './connection-core.js'

/** Whose login it is, and what gives it up. */
interface Asked {
  readonly core: ConnectionCore
  readonly signal: AbortSignal
}

/** A user agent is the host's code: neither its answer nor its silence keeps a login beyond its time limit. */
export function forPerson<T>({ core, signal }: Asked, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const where = { step: 'present', url: core.url }
  return withDeadline(
    {
      clock: core.runtime.clock,
      signal,
      timeoutMs,
      onTimeout: () => new CountersignError('login_timeout', where),
      onAbort: () => new CountersignError('login_cancelled', { ...where, cause: signal.reason }),
    },
    work,
  )
}

/** The presentation of a login, asked for its way with the patience of a person. */
export const patient = (
  login: Asked & { readonly presentation: Pick<Presentation, 'way'> },
): Pick<Presentation, 'way'> => ({
  way: (server) => forPerson(login, login.core.runtime.loginTimeoutMs, () => login.presentation.way(server)),
})
