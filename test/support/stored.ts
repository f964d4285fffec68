import type { Store } from '@countersign/core'

/** A store, and what kinds of records it holds now, sorted: `['grant', 'registration']`. */
export async function kindsIn(store: Store): Promise<readonly string[]> {
  return (await store.keys('')).map((key) => key.split('/')[1] ?? key).sort()
}

/** The record of one kind, decoded; there must be one at most. */
export async function recordIn(store: Store, kind: string): Promise<unknown> {
  const [key, ...more] = (await store.keys('')).filter((k) => k.split('/')[1] === kind)
  if (more.length > 0) throw new Error(`${more.length + 1} records of kind ${kind}`)
  const raw = key === undefined ? undefined : await store.get(key)
  return raw === undefined ? undefined : JSON.parse(raw).value
}

/** All that a store holds, to be searched. */
export const storedText = async (store: Store): Promise<string> =>
  (await Promise.all((await store.keys('')).map(async (key) => `${key} ${await store.get(key)}`))).join('\n')
