import type { Presence } from '@countersign/core'

const PREFIX = 'countersign tab '

/** What to do where nothing can be seen. */
export interface TabPresenceOptions {
  /** Called once where the browser has no Web Locks, so that nothing is seen of other tabs. Default: nothing. */
  readonly missing?: (() => void) | undefined
}

/**
 * This tab or worker, and whether another that holds a lease is still there: it holds a Web Lock of its own name from before
 * its first lease until it goes, and the browser lets go of it then. Without Web Locks nothing is known of other tabs, and a lease
 * is waited for as long as it lasts.
 *
 * Only for a store that this browser's tabs share: another machine's locks are not seen.
 */
export function tabPresence({ missing }: TabPresenceOptions = {}): Presence {
  let name: Promise<string> | undefined
  const locks = (): LockManager | undefined => globalThis.navigator?.locks

  const hold = (): Promise<string> =>
    new Promise((resolve) => {
      const own = PREFIX + crypto.randomUUID()
      const without = (): void => {
        missing?.()
        resolve(own)
      }
      const held = (): Promise<void> =>
        new Promise((release) => {
          // A page in the back-forward cache does nothing, and with a lock it would not be kept there.
          const hidden = (): void => {
            name = undefined
            release()
          }
          globalThis.addEventListener('pagehide', hidden, { once: true })
          resolve(own)
        })
      const manager = locks()
      // A page of an opaque origin has them, and may not use them.
      if (manager) manager.request(own, held).catch(without)
      else without()
    })

  return {
    self: () => {
      name ??= hold()
      return name
    },
    alive: async (holder) => {
      if (!holder.startsWith(PREFIX)) return undefined
      const seen = await locks()
        ?.query()
        .catch(() => undefined)
      return seen?.held?.some((lock) => lock.name === holder)
    },
  }
}
