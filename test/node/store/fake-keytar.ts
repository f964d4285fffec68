import type { Keytar } from '@countersign/node'

export interface FakeKeytar extends Keytar {
  readonly entries: Map<string, string>
  readonly calls: string[]
}

/** keytar's methods over a map: `change` makes of a call what a real keychain might. */
export function fakeKeytar(change: Partial<Keytar> = {}, entries: Map<string, string> = new Map()): FakeKeytar {
  const calls: string[] = []
  return {
    entries,
    calls,
    getPassword: async (service, account) => {
      calls.push(`get ${account}`)
      if (change.getPassword) return change.getPassword(service, account)
      return entries.get(`${service}/${account}`) ?? null
    },
    setPassword: async (service, account, password) => {
      calls.push(`set ${account}`)
      if (change.setPassword) return change.setPassword(service, account, password)
      entries.set(`${service}/${account}`, password)
    },
    deletePassword: async (service, account) => {
      calls.push(`delete ${account}`)
      if (change.deletePassword) return change.deletePassword(service, account)
      return entries.delete(`${service}/${account}`)
    },
  }
}
