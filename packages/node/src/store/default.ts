import type { Store } from '@countersign/core'
import { type ChooseOptions, chooseStore, lastKeychain } from './choose.js'

/**
 * The store of a connector that was given none: what `chooseStore` picks for the application, with its first use. Nothing is
 * loaded, looked at or decided before. A choice that failed is made anew by the next use, because what was wrong may have
 * been put right meanwhile.
 *
 * @throws CountersignError from the store's own methods, `store_unavailable` where there is nothing to pick
 */
export function defaultStore(options: ChooseOptions): Store {
  let choosing: Promise<Store> | undefined
  let name = 'not chosen yet: the keychain, or encrypted files'
  const chosen = async (): Promise<Store> => {
    choosing ??= choose(options)
    try {
      const store = await choosing
      name = store.name
      return store
    } catch (error) {
      choosing = undefined
      throw error
    }
  }
  return {
    get name() {
      return name
    },
    get: async (key) => (await chosen()).get(key),
    replace: async (key, ...change) => (await chosen()).replace(key, ...change),
    keys: async (prefix) => (await chosen()).keys(prefix),
  }
}

/** A keychain that was picked before is not tried out again: its first use tells as much, and a warm start reads once. */
const choose = async (options: ChooseOptions): Promise<Store> =>
  (await lastKeychain(options)) ?? (await chooseStore(options)).store
