import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeContract } from '../../contracts/store.js'
import {
  hasKeyring,
  hasKeytar,
  type Implementation,
  type KeyringSession,
  keyringSession,
  type StoreProcess,
} from './keyring-session.js'

const implementations: readonly (readonly [string, Implementation, boolean])[] = [
  ['@napi-rs/keyring', 'native', hasKeyring],
  ['keytar', 'keytar', hasKeyring && hasKeytar],
]
const MISSING = 'SKIPPED, needs gnome-keyring, dbus and libsecret-1-dev: tools/ci-debian.sh'

describe.each(implementations)('a real gnome-keyring, by %s', (name, implementation, there) => {
  describe.skipIf(!there)(there ? 'unlocked' : MISSING, () => {
    let session: KeyringSession
    let processes: readonly StoreProcess[]
    beforeAll(async () => {
      session = await keyringSession()
      processes = [session.start(implementation), session.start(implementation)]
    })
    afterAll(() => session[Symbol.asyncDispose]())

    let places = 0
    storeContract(
      `gnome-keyring by ${name}, between processes`,
      async () => {
        const service = `place ${places++}`
        let opened = 0
        return { open: () => processes[opened++ % 2]!(service) }
      },
      { rounds: 3, contenders: 6 },
    )
  })

  test.skipIf(!there)(
    `locked in the middle of a session: said, and nothing is lost${there ? '' : ` (${MISSING})`}`,
    async () => {
      await using session = await keyringSession()
      const store = session.start(implementation)('countersign')
      await store.replace('k', undefined, 'v')
      session.lock()
      const began = performance.now()
      for (const work of [() => store.get('k'), () => store.keys(''), () => store.replace('k', 'v', 'w')]) {
        await expect(work()).rejects.toMatchObject({
          code: 'store_unavailable',
          hint: expect.stringMatching(/encryptedFileStore.*memoryStore/),
        })
      }
      expect(performance.now() - began).toBeLessThan(15_000)
    },
  )

  test.skipIf(!there)(`never unlocked: said${there ? '' : ` (${MISSING})`}`, async () => {
    await using session = await keyringSession('locked')
    const store = session.start(implementation)('countersign')
    await expect(store.get('k')).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(store.replace('k', undefined, 'v')).rejects.toMatchObject({ code: 'store_unavailable' })
  })
})
