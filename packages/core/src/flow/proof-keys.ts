import { CountersignError } from '../errors/error.js'
import type { Keys } from '../ports/keys.js'
import { DAY_MS } from '../primitives/day.js'
import { randomId } from '../primitives/random-id.js'
import type { Target } from '../steps/target.js'
import { memoryKeys } from '../stores/memory-keys.js'
import type { ConnectionCore } from './connection-core.js'
import { targetOf } from './current-token.js'
import type { Grant, GrantEvent } from './grant.js'
import { finish, type Runtime } from './runtime.js'

/** What the proofs of one connector share. */
interface Held {
  readonly keys: Keys
  /** Those that were used, by id: a key in a keychain takes its time. */
  readonly pairs: Map<string, Promise<CryptoKeyPair | undefined>>
  /** The last nonce of each server, by what it is to us and its origin. */
  readonly nonces: Map<string, string>
}

const held = new WeakMap<Runtime, Held>()

/** What the proofs of one connector share. */
export function heldBy({ runtime, proving }: ConnectionCore): Held {
  const known = held.get(runtime)
  if (known !== undefined) return known
  const made = { keys: runtime.options.keys ?? proving?.keys ?? memoryKeys(), pairs: new Map(), nonces: new Map() }
  held.set(runtime, made)
  return made
}

/** The library, loaded with the first proof: a host that never meets a server which wants one does without it. */
export const library = (): Promise<typeof import('dpop')> => import('dpop')

/** What a store of keys throws is its own; what it means is said here. */
async function use<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (CountersignError.is(cause)) throw cause
    const expected = 'a store of key pairs that answers'
    throw new CountersignError('store_unavailable', { step: 'prove', expected, received: 'an exception', cause })
  }
}

/** The id begins with the application and the time, by which keys of abandoned logins are known. */
const prefixOf = ({ runtime }: ConnectionCore): string => `${runtime.options.appId ?? 'countersign'}/`

/** A new key for an attempt (RFC 9449 section 11.4: one that is not extractable, where the runtime can keep one so). */
export async function withKey(core: ConnectionCore, target: Target): Promise<Target> {
  const { dpop_signing_alg } = target
  if (dpop_signing_alg === undefined) return target
  const { keys, pairs } = heldBy(core)
  const { clock, random } = core.runtime
  const dpop_key_id = `${prefixOf(core)}${clock.now().toString(36)}.${randomId(random)}`
  const pair = await use(keys.create(dpop_key_id, dpop_signing_alg))
  pairs.set(dpop_key_id, Promise.resolve(pair))
  inBackground(core, () => sweep(core))
  const { calculateThumbprint } = await library()
  return { ...target, dpop_key_id, dpop_jkt: await use(calculateThumbprint(pair.publicKey)) }
}

export const hasKey = async (core: ConnectionCore, key: string): Promise<boolean> =>
  (await pairOf(core, key)) !== undefined

/** The pair of a key; undefined where it is gone. */
export function pairOf(core: ConnectionCore, key: string): Promise<CryptoKeyPair | undefined> {
  const { keys, pairs } = heldBy(core)
  const known = pairs.get(key)
  if (known !== undefined) return known
  const loading = use(keys.load(key))
  pairs.set(key, loading)
  // Said once: a key that is gone does not come back.
  const found = (pair: CryptoKeyPair | undefined): void => {
    if (pair === undefined) core.diagnose({ code: 'key_missing', expected: 'the key of this login', received: 'none' })
  }
  loading.then(found, () => pairs.delete(key))
  return loading
}

/** Runs what gets tokens for a target, with a key of its own: should it fail, the key goes. */
export async function withKeyDuring<T>(
  core: ConnectionCore,
  target: Target,
  work: (bound: Target) => Promise<T>,
): Promise<T> {
  const bound = await withKey(core, target)
  try {
    return await work(bound)
  } catch (error) {
    dropKeyOf(core, bound)
    throw error
  }
}

export function dropKeyOf(core: ConnectionCore, { dpop_key_id: key }: Target): void {
  if (key === undefined) return
  const { keys, pairs } = heldBy(core)
  pairs.delete(key)
  inBackground(core, () => use(keys.delete(key)))
}

/** Of a login that was replaced or ended, and of one that came too late. */
export function dropReplacedKeys(core: ConnectionCore, was: Grant, event: GrantEvent, now: Grant): void {
  for (const target of [targetOf(was), event.type === 'granted' ? event.granted.target : undefined]) {
    if (target && target.dpop_key_id !== targetOf(now)?.dpop_key_id) dropKeyOf(core, target)
  }
}

/** A key that stays is found by a later login: it costs nobody theirs. */
function inBackground(core: ConnectionCore, work: () => Promise<void>): void {
  finish(core.runtime, work).catch((error: unknown) => {
    const received = CountersignError.is(error) ? (error.received ?? error.code) : String(error)
    core.diagnose({ code: 'key_not_deleted', expected: 'no key without a login', received })
  })
}

/** Deletes the keys of logins that were abandoned: a day old, and in no record. */
async function sweep(core: ConnectionCore): Promise<void> {
  const { runtime } = core
  const { records, clock, loginTimeoutMs } = runtime
  const { keys, pairs } = heldBy(core)
  const prefix = prefixOf(core)
  const old = (await use(keys.ids())).filter((id) => {
    // The name of one application may begin with that of another, slash and all: theirs are not ours.
    const [, madeAt] = (id.startsWith(prefix) && /^([0-9a-z]+)\.[\w-]+$/.exec(id.slice(prefix.length))) || []
    return madeAt !== undefined && Number.parseInt(madeAt, 36) < clock.now() - DAY_MS - loginTimeoutMs
  })
  if (old.length === 0) return
  const used = new Set<string | undefined>()
  for (const kind of ['grant', 'attempt'] as const) {
    for (const key of await records.keys(kind)) {
      const { raw, value } = await records.read(kind, key)
      // What cannot be read now may be read again, and may need any of them.
      if (raw !== undefined && value === undefined) return
      if (value === undefined) continue
      used.add(
        'phase' in value
          ? targetOf(value)?.dpop_key_id
          : 'attempt' in value
            ? value.attempt.target.dpop_key_id
            : undefined,
      )
    }
  }
  for (const id of old) {
    if (used.has(id)) continue
    pairs.delete(id)
    await use(keys.delete(id))
  }
}
