import { CountersignError } from '../errors/error.js'
import type { ConnectionCore } from './connection-core.js'
import type { GrantEvent } from './grant.js'
import { finish } from './runtime.js'

/** How often a connector that is closed already tries a store that has just refused, a second apart. */
const LAST_TRIES = 3

/**
 * Puts what came of a request into the record before anybody sees it. Where the store refuses, it counts in memory, it is
 * said, and the store is asked again until it takes it: a rotated refresh token exists nowhere else, and a lease that stays
 * holds others up.
 */
export async function settleSurely(core: ConnectionCore, event: GrantEvent): Promise<void> {
  const { held, runtime } = core
  try {
    await held.settle(event)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    core.emit('kept', 'warn', { error })
    held.keep(event)
    const closing = new AbortController()
    if (runtime.closed) closing.abort()
    const work = finish(
      runtime,
      () => later(core, closing.signal),
      () => closing.abort(),
    )
    // `close` waits for what is under way now, not for what begins then.
    if (runtime.closed) await work
    else work.catch(() => undefined)
  }
}

/** Tries until the store takes it. Closing is the moment for a last try, and for a few where the first refusal came then. */
async function later({ held, runtime }: ConnectionCore, closing: AbortSignal): Promise<void> {
  let left = closing.aborted ? LAST_TRIES : 1
  for (let waitMs = 1_000; left > 0; waitMs = Math.min(waitMs * 2, 15_000)) {
    await runtime.clock.sleep(waitMs, closing.aborted ? undefined : closing)
    if (closing.aborted) left -= 1
    try {
      await held.writeKept()
      return
    } catch (error) {
      // Said when it began.
      if (!CountersignError.is(error)) throw error
    }
  }
}
