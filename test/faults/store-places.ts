import { afterAll, beforeAll } from 'vitest'
import { hasKeyring, hasKeytar, type KeyringSession, keyringSession, keytar } from '../node/store/keyring-session.js'
import { directories } from '../node/store/support.js'
import type { HostStore } from './fixtures/host.js'

/** A kind of store that a proof runs over, and whether this machine has it. */
export interface StoreKind {
  readonly name: string
  readonly there: boolean
  readonly kind: 'file' | '@napi-rs/keyring' | 'keytar'
}

/** Where the keychain is missing its proofs are skipped by this name; CI takes a skipped test for a failed one. */
const MISSING = 'SKIPPED, needs gnome-keyring, dbus and libsecret-1-dev: tools/ci-debian.sh'

const kinds: readonly StoreKind[] = [
  { name: 'encrypted files', kind: 'file', there: true },
  { name: 'gnome-keyring by @napi-rs/keyring', kind: '@napi-rs/keyring', there: hasKeyring },
  { name: 'gnome-keyring by keytar', kind: 'keytar', there: hasKeyring && hasKeytar },
]
/** With the reason in the name where a kind is missing. */
export const storeKinds: readonly StoreKind[] = kinds.map((kind) =>
  kind.there ? kind : { ...kind, name: `${kind.name} (${MISSING})` },
)

/** A store of its own, and the environment that the processes over it need. */
export interface Place {
  readonly store: HostStore
  readonly env: NodeJS.ProcessEnv
}

/** Fresh places for the tests of a file, and one keyring for all of them. */
export function places(): (kind: StoreKind['kind']) => Promise<Place> {
  let session: KeyringSession | undefined
  const directory = directories()
  let last = 0
  beforeAll(async () => {
    if (hasKeyring) session = await keyringSession()
  })
  afterAll(() => session?.[Symbol.asyncDispose]())
  return async (kind) => {
    if (kind === 'file') return { store: { kind, directory: `${await directory()}/store` }, env: process.env }
    if (session === undefined) throw new Error('no keyring')
    const service = `countersign test ${++last}`
    return { store: { kind: 'keychain', service, keytar: kind === 'keytar' ? keytar : undefined }, env: session.env }
  }
}
