import { CountersignError } from '../errors/error.js'
import type { ConnectionCore } from './connection-core.js'
import type { GrantEvent } from './grant.js'
import { track } from './runtime.js'

type Brought = Extract<GrantEvent, { readonly type: 'granted' | 'refreshed' }>

/**
 * Puts new tokens into the record before anybody sees them. Where the store refuses, they serve from memory, it is said, and
 * the store is asked again until it takes them: a rotated refresh token exists nowhere else.
 */
export async function storeTokens(core: ConnectionCore, event: Brought): Promise<void> {
  try {
    await core.held.settle(event)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    core.emit('kept', 'warn', { error })
    core.held.keep(event)
    const stop = new AbortController()
    const closing = (): void => stop.abort()
    track(core.runtime, () => later(core, event, stop.signal), closing).catch(() => undefined)
  }
}

/** Tries until the store takes them; closing is the moment for a last try. */
async function later({ held, runtime }: ConnectionCore, event: Brought, closing: AbortSignal): Promise<void> {
  for (let waitMs = 1_000; !closing.aborted; waitMs = Math.min(waitMs * 2, 60_000)) {
    await runtime.clock.sleep(waitMs, closing)
    try {
      return await held.writeKept(event)
    } catch (error) {
      // Said when it began.
      if (!CountersignError.is(error)) throw error
    }
  }
}
