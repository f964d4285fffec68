import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** The records of one authorization server. */
export interface MemoryRecords {
  readonly adapter: AdapterFactory
  /** Deletes every record of one model (`Client`, `Session`, `RefreshToken`, ...). */
  forget(model: string): void
}

interface Entry {
  readonly payload: AdapterPayload
  readonly expiresAt: number
}

/**
 * Storage for one authorization server, gone with it.
 *
 * `oidc-provider` has one of its own, but it announces itself on the console, and a test needs to make the server
 * forget things.
 */
export function createMemoryRecords(): MemoryRecords {
  const models = new Map<string, Map<string, Entry>>()

  const adapter = (model: string): Adapter => {
    const entries = models.get(model) ?? new Map<string, Entry>()
    models.set(model, entries)

    const find = async (id: string): Promise<AdapterPayload | undefined> => {
      const entry = entries.get(id)
      if (entry === undefined || entry.expiresAt > Date.now()) return entry?.payload
      entries.delete(id)
      return undefined
    }
    const findBy = async (member: 'uid' | 'userCode', value: string): Promise<AdapterPayload | undefined> => {
      for (const [id, entry] of entries) if (entry.payload[member] === value) return find(id)
      return undefined
    }

    return {
      upsert: async (id, payload, expiresIn) => {
        entries.set(id, { payload, expiresAt: expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000 })
      },
      find,
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (userCode) => findBy('userCode', userCode),
      consume: async (id) => {
        const payload = await find(id)
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => {
        entries.delete(id)
      },
      revokeByGrantId: async (grantId) => {
        for (const [id, entry] of entries) if (entry.payload.grantId === grantId) entries.delete(id)
      },
    }
  }

  return { adapter, forget: (model) => models.get(model)?.clear() }
}
