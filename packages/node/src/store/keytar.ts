import { CountersignError } from '@countersign/core'

/** The methods of `keytar` that are used, so that `keytar` itself, or anything with its shape, can be passed. */
export interface Keytar {
  /** `null` where there is none. */
  getPassword(service: string, account: string): Promise<string | null>
  /** Makes the entry, or writes over it. */
  setPassword(service: string, account: string, password: string): Promise<void>
  /** Whether there was one. */
  deletePassword(service: string, account: string): Promise<boolean>
}

export const OTHER_STORES =
  'Or use encryptedFileStore({ directory, key: { env } }), in every process of the application (the default store does, where COUNTERSIGN_STORE_KEY is set); memoryStore() where logins may end with the process.'

/**
 * `@napi-rs/keyring` behind keytar's methods, loaded now. On Linux its backend is pinned: without a Secret Service it would
 * go over to the kernel's keyring, which forgets everything at the next boot.
 *
 * @throws CountersignError `store_unavailable` where it has no build for this system
 */
export async function nativeKeytar(): Promise<Keytar> {
  const { AsyncEntry } = await import('@napi-rs/keyring').catch((cause: unknown) => {
    throw new CountersignError('store_unavailable', {
      step: 'open',
      expected: 'the keychain of the system (@napi-rs/keyring)',
      received: cause instanceof Error ? cause.message : String(cause),
      hint: `It has no build for ${process.platform} ${process.arch}, or was not installed. ${OTHER_STORES}`,
      cause,
    })
  })
  const options = process.platform === 'linux' ? ({ linux: { store: 'secret-service' } } as const) : undefined
  const entry = (service: string, account: string) => new AsyncEntry(service, account, options)
  return {
    getPassword: async (service, account) => (await entry(service, account).getPassword()) ?? null,
    setPassword: async (service, account, password) => entry(service, account).setPassword(password),
    deletePassword: async (service, account) => entry(service, account).deletePassword(),
  }
}
