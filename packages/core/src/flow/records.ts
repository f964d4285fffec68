import { CountersignError } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'
import type { Client } from '../messages/client-information.js'
import type { Diagnostic } from '../ports/log.js'
import type { Store } from '../ports/store.js'
import { sha256Base64url } from '../primitives/digest.js'
import type { AttemptIn } from './attempt.js'
import { type Grant, nothing } from './grant.js'

const FORMAT = 1

/** A dynamic registration, and the scope that it asked for. */
export interface RegistrationRecord {
  readonly client: Client
  readonly redirect_uris: readonly string[]
  readonly scope?: string
}

/** A login between its two halves. */
export interface AttemptRecord {
  readonly attempt: AttemptIn<'authorizing'>
  /** The host carries the person itself: it must bring the `state` again, and the account. */
  readonly carried: boolean
}

/** What stays of a completed login for a while, so that a page that is loaded twice gets the connection. */
export interface CompletionRecord {
  /** False while the code is being exchanged. */
  readonly completed: boolean
  readonly url: string
  readonly account?: string | undefined
  readonly carried: boolean
  readonly app_state?: string | undefined
}

export interface DiscoveryRecord {
  readonly metadata: AuthorizationServerMetadata
  readonly fresh_until: number
}

/** What each kind of record holds. */
export interface Kinds {
  readonly grant: Grant
  readonly registration: RegistrationRecord
  readonly attempt: AttemptRecord | CompletionRecord
  readonly discovery: DiscoveryRecord
}

/** A record as it was read: `raw` is what a compare-and-set must find again. */
export interface Read<T> {
  readonly raw: string | undefined
  readonly value: T | undefined
}

type Parts = readonly (string | undefined)[]

const hash = (parts: Parts): Promise<string> => sha256Base64url(JSON.stringify(parts.map((part) => part ?? null)))

/** Typed records over a Store: keys, format, and what becomes of those that cannot be read. */
export class Records {
  readonly #store: Store
  readonly #prefix: string
  readonly #now: () => number
  readonly #diagnose: (diagnostic: Diagnostic) => void

  constructor(store: Store, appId: string, now: () => number, diagnose: (diagnostic: Diagnostic) => void) {
    this.#store = store
    this.#prefix = appId
    this.#now = now
    this.#diagnose = diagnose
  }

  /**
   * `<appId>/<kind>/<hash>`: URLs go into the hash, because they can carry secrets. With `within`, the key is one of several
   * that `list` finds by their first parts.
   */
  async key(kind: keyof Kinds, parts: Parts, within?: Parts): Promise<string> {
    const key = `${this.#prefix}/${kind}/${await hash(parts)}`
    return within === undefined ? key : `${key}.${await hash(within)}`
  }

  /** The records of a kind whose keys were made from these first parts. */
  async list<K extends keyof Kinds>(kind: K, parts: Parts): Promise<readonly Kinds[K][]> {
    const prefix = `${await this.key(kind, parts)}.`
    const keys = await this.#use('list', prefix, () => this.#store.keys(prefix))
    const all = await Promise.all(keys.map((key) => this.read(kind, key)))
    return all.flatMap(({ value }) => value ?? [])
  }

  /** Removes those of `list` that `which` names. */
  async drop<K extends keyof Kinds>(kind: K, parts: Parts, which: (value: Kinds[K]) => boolean): Promise<void> {
    const prefix = `${await this.key(kind, parts)}.`
    for (const key of await this.#use('list', prefix, () => this.#store.keys(prefix))) {
      const { raw, value } = await this.read(kind, key)
      if (value !== undefined && which(value)) await this.write(kind, key, raw, undefined)
    }
  }

  async read<K extends keyof Kinds>(kind: K, key: string): Promise<Read<Kinds[K]>> {
    const raw = await this.#use('read', key, () => this.#store.get(key))
    if (raw === undefined) return { raw, value: undefined }
    const value = decode<Kinds[K]>(raw)
    if (value !== undefined && looksRight(kind, value)) return { raw, value }
    this.#diagnose({
      code: 'record_discarded',
      url: key,
      expected: `a ${kind} record of format ${FORMAT}`,
      received: value === undefined ? 'another format, or no JSON' : 'other members',
    })
    return { raw, value: undefined }
  }

  /** @returns whether the record was still `expected` and has been written */
  write<K extends keyof Kinds>(
    _kind: K,
    key: string,
    expected: string | undefined,
    value: Kinds[K] | undefined,
    expiresAt?: number,
  ): Promise<Read<Kinds[K]> | undefined> {
    const raw = value === undefined ? undefined : JSON.stringify({ format: FORMAT, created_at: this.#now(), value })
    return this.#use('write', key, async () => {
      const done = await this.#store.replace(key, expected, raw, expiresAt === undefined ? undefined : { expiresAt })
      return done ? { raw, value } : undefined
    })
  }

  async #use<T>(step: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (CountersignError.is(cause)) throw cause
      throw new CountersignError('store_unavailable', {
        step,
        expected: `${key} in ${this.#store.name}`,
        received: cause instanceof Error ? cause.message : String(cause),
        cause,
      })
    }
  }
}

/**
 * A grant that cannot be read counts as signed out: only a login or a sign-out may write over it, and no login opens by
 * itself.
 */
export const readableGrant = ({ raw, value }: Read<Grant>): Grant =>
  value ?? (raw === undefined ? nothing : { phase: 'absent', turn: 1, got: 1 })

function decode<T>(raw: string): T | undefined {
  try {
    const record: unknown = JSON.parse(raw)
    if (typeof record !== 'object' || record === null || !('format' in record) || !('value' in record)) return undefined
    return record.format === FORMAT ? (record.value as T) : undefined
  } catch {
    // Not JSON: said by the caller, in the words of the record.
    return undefined
  }
}

function looksRight(kind: keyof Kinds, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const has = (member: string, type: string): boolean => typeof Reflect.get(value, member) === type
  switch (kind) {
    case 'grant':
      return (
        has('turn', 'number') &&
        has('got', 'number') &&
        (Reflect.get(value, 'phase') === 'absent' ||
          (/^(valid|spent)$/.test(String(Reflect.get(value, 'phase'))) &&
            has('grant', 'string') &&
            has('granted', 'object')))
      )
    case 'registration':
      return has('client', 'object')
    case 'attempt':
      return has('attempt', 'object') || has('completed', 'boolean')
    case 'discovery':
      return has('metadata', 'object') && has('fresh_until', 'number')
  }
}
