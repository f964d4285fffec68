import { expect, it } from 'vitest'
import { overPages, pages } from '../support/pages.js'

overPages('a script of somebody else in the page', () => {
  const world = pages()

  it('cannot export the key, and reads no token in the database; it can use the key, and the connection', async () => {
    const tab = await world.signedIn()
    const token = await tab.evaluate(() => window.app.token())
    const seen = await tab.evaluate(async () => {
      const result = <T>(asked: IDBRequest<T>): Promise<T> =>
        new Promise((resolve) => {
          asked.onsuccess = () => resolve(asked.result)
        })
      const db = await result(indexedDB.open('countersign'))
      const table = (name: string): IDBObjectStore => db.transaction(name).objectStore(name)
      const { id, key } = (await result(table('sealing').get('key'))) as { id: string; key: CryptoKey }
      const keys = (await result(table('records').getAllKeys())) as string[]
      const values = (await result(table('records').getAll())) as { value: string }[]
      db.close()
      const refused = await crypto.subtle.exportKey('raw', key).then(
        () => 'exported',
        ({ name }) => name as string,
      )
      const at = keys.findIndex((name) => name.includes('/grant/'))
      const bytes = Uint8Array.from(atob(values[at]?.value.split('.')[2] ?? ''), (unit) => unit.charCodeAt(0))
      const additionalData = new TextEncoder().encode(JSON.stringify(['cse1', id, keys[at]]))
      const algorithm = { name: 'AES-GCM', iv: bytes.slice(0, 12), additionalData }
      const opened = new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, bytes.slice(12)))
      return { refused, text: JSON.stringify([keys, values, key]), opened }
    })
    const { value } = token as { value: string }
    expect(seen.refused).toBe('InvalidAccessError')
    expect(seen.text).not.toContain(value)
    // What no store in a page can prevent, and the documentation says so.
    expect(seen.opened).toContain(value)
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
  })
})
