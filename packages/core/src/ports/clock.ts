/** Time, as a port: tests replace it, nothing else in core reads the runtime's clock. */
export interface Clock {
  /** Wall clock, in milliseconds since the epoch. */
  now(): number
  /** A clock that never goes back, in milliseconds; only differences mean anything. */
  monotonic(): number
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
