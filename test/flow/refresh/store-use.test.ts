import { memoryStore } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { countedStore } from '../../support/counted-store.js'
import { ping } from '../../support/mcp-client.js'
import { refreshing } from '../../support/refreshing.js'

const world = refreshing()

describe('what a store is asked for', () => {
  it('once by a process that starts, however many requests begin at once, and never again while the token is good', async () => {
    const store = countedStore(memoryStore())
    const { connection } = await world.login({ store })
    store.clear()
    await Promise.all(Array.from({ length: 50 }, () => ping(connection)))
    expect([store.reads, store.writes]).toEqual([1, 0])
    await ping(connection)
    expect([store.reads, store.writes]).toEqual([1, 0])
  })

  it('by a refresh: the record, the lease, the mark, and the new tokens upon the record as it is then', async () => {
    const store = countedStore(memoryStore())
    const { connection } = await world.login({ store })
    await ping(connection)
    store.clear()
    await connection.token({ refresh: true })
    expect([store.reads, store.writes]).toEqual([2, 3])
  })
})
