import type { ErrorCode } from '../errors/codes.js'
import { CountersignError } from '../errors/error.js'
import { withDeadline } from '../http/deadline.js'
import type { ConnectionCore } from './connection-core.js'

/** How long a caller waits for work that goes on without it, and what it is told when it gives up. */
export interface Patience {
  readonly step: string
  readonly timeoutMs: number
  readonly code: ErrorCode
  readonly signal?: AbortSignal | null | undefined
}

/** Waits for work that is not the caller's to end; work that is looks at the signal that it is given. */
export function wait<T>(
  core: ConnectionCore,
  patience: Patience,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { url, runtime } = core
  const { step, timeoutMs, code, signal } = patience
  return withDeadline(
    {
      clock: runtime.clock,
      timeoutMs,
      signal: signal ?? undefined,
      onTimeout: () => new CountersignError(code, { step, url }),
      onAbort: () => new CountersignError('request_aborted', { step, url, cause: signal?.reason }),
    },
    work,
  )
}
