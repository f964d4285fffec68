import { type ConnectorOptions, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { settled } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** A store that tells how many watch it, and one of whose readings can be made to take its time. */
function watchedStore(): { store: Store; readonly watching: number; holdNext(): () => void } {
  const inner = memoryStore()
  let watching = 0
  let held: Promise<void> | undefined
  const store: Store = {
    ...inner,
    get: async (key) => {
      const wait = held
      held = undefined
      const value = await inner.get(key)
      await wait
      return value
    },
    watch: (key, changed) => {
      watching++
      const end = inner.watch?.(key, changed)
      return () => {
        watching--
        end?.()
      }
    },
  }
  return {
    store,
    get watching() {
      return watching
    },
    holdNext: () => {
      let release = (): void => undefined
      held = new Promise((resolve) => {
        release = resolve
      })
      return release
    },
  }
}

const connector = (options: ConnectorOptions) =>
  open(createConnector({ appId: 'test', userAgent: scriptedAgent(), interaction: 'explicit', ...options }))
const noticed = (): undefined => undefined

describe('a connection that somebody listens to', () => {
  it('sees the sign-in, the refresh and the sign-out of another, without being called', async () => {
    const { store } = watchedStore()
    const here = connector({ store }).connect(server.url)
    const there = connector({ store }).connect(server.url)
    here.subscribe(noticed)
    await soon(() => here.getSnapshot().status).toBe('signed_out')
    await there.authorize()
    await soon(() => here.getSnapshot().status).toBe('signed_in')
    const { accessToken } = await there.token({ refresh: true })
    await settled()
    server.clearRequests()
    expect((await here.token()).accessToken).toBe(accessToken)
    expect(server.requests).toEqual([])
    await there.signOut()
    await soon(() => here.getSnapshot().status).toBe('signed_out')
  })

  it('sees what was written before it was listened to', async () => {
    const { store } = watchedStore()
    const here = connector({ store }).connect(server.url)
    await expect(here.token()).rejects.toMatchObject({ code: 'interaction_required' })
    await connector({ store }).connect(server.url).authorize()
    here.subscribe(noticed)
    await soon(() => here.getSnapshot().status).toBe('signed_in')
  })

  it('does not go back to what was read before its own last write, and came late', async () => {
    const { store, holdNext } = watchedStore()
    const here = connector({ store }).connect(server.url)
    here.subscribe(noticed)
    await here.authorize()
    await settled()
    const [key = ''] = await store.keys('test/grant')
    const raw = await store.get(key)
    const release = holdNext()
    // By value nothing has changed; the listener reads all the same.
    await store.replace(key, raw, raw)
    const { accessToken } = await here.token({ refresh: true })
    release()
    await settled()
    expect((await here.token()).accessToken).toBe(accessToken)
  })
})

describe('what listening holds', () => {
  it('nothing before it begins and after the last has ended', async () => {
    const world = watchedStore()
    const connection = connector({ store: world.store }).connect(server.url)
    await connection.authorize()
    expect(world.watching).toBe(0)
    const [one, two] = [connection.subscribe(noticed), connection.subscribe(noticed)]
    await soon(() => world.watching).toBe(1)
    one()
    one()
    await settled()
    expect(world.watching).toBe(1)
    two()
    expect(world.watching).toBe(0)
    connection.subscribe(noticed)()
    await settled()
    expect(world.watching).toBe(0)
  })

  it('nothing once the connector is closed', async () => {
    const world = watchedStore()
    const own = connector({ store: world.store })
    const connection = own.connect(server.url)
    connection.subscribe(noticed)
    await soon(() => world.watching).toBe(1)
    await own.close()
    expect(world.watching).toBe(0)
    connection.subscribe(noticed)
    await settled()
    expect(world.watching).toBe(0)
  })
})
