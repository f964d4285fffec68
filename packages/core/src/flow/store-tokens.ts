import { CountersignError } from '../errors/error.js'
import type { GrantEvent } from './grant.js'
import type { HeldGrant } from './held-grant.js'
import type { Runtime } from './runtime.js'

/**
 * Puts new tokens into the record before anybody sees them. Where the store refuses, they serve from memory, it is said, and
 * the store is asked again until it takes them: a rotated refresh token exists nowhere else.
 */
export async function storeTokens(runtime: Runtime, held: HeldGrant, url: string, event: GrantEvent): Promise<void> {
  try {
    await held.settle(event)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    runtime.emit({ type: 'kept', level: 'warn', url, error })
    held.keep(event)
    void later(runtime, held, event)
  }
}

async function later(runtime: Runtime, held: HeldGrant, event: GrantEvent): Promise<void> {
  for (let waitMs = 1_000; !runtime.closed; waitMs = Math.min(waitMs * 2, 60_000)) {
    await runtime.clock.sleep(waitMs)
    try {
      await held.settle(event)
      return
    } catch (error) {
      // Said when it began.
      if (!CountersignError.is(error)) throw error
    }
  }
}
