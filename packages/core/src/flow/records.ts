import { CountersignError, type ErrorRecord } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'
import type { Client } from '../messages/client-information.js'
import type { ProtectedResourceMetadata } from '../messages/protected-resource-metadata.js'
import type { Diagnostic } from '../ports/log.js'
import type { Store } from '../ports/store.js'
import { sha256Base64url } from '../primitives/digest.js'
import type { AttemptIn } from './attempt.js'
import { type Grant, nothing } from './grant.js'
import { isRecord } from './record-shapes.js'

const FORMAT = 1

/** A dynamic registration, and the scope that it asked for. */
export interface RegistrationRecord {
  readonly client: Client
  readonly redirect_uris: readonly string[]
  readonly scope?: string
}

/** Whose login it was or is, in both forms of an attempt's record. */
interface AttemptRecord {
  readonly url: string
  readonly account?: string
  readonly app_state?: string
  /** The host carries the person itself: it must bring the `state` again, and the account. */
  readonly carried: boolean
}

/** A login between its two halves. */
export interface WaitingRecord extends AttemptRecord {
  readonly attempt: AttemptIn<'authorizing' | 'polling'>
}

/** What stays of a login for a while once its code was taken, so that a page that is loaded twice gets the connection. */
export interface TakenRecord extends AttemptRecord {
  /** False while the code is being exchanged. */
  readonly completed: boolean
}

/** A login under way. Whoever wrote it asks the person; the others follow, and one of them takes over when it is gone. */
export interface LoginRecord {
  readonly id: string
  readonly holder: string
  /** When it was written last, in milliseconds since the epoch. */
  readonly at: number
  /** How long it counts without being written again. */
  readonly lasts_ms: number
  /** Key of the attempt's record, once that is stored. */
  readonly attempt?: string
  /** Where the answer of a page comes to; absent where it is polled for. */
  readonly redirect_uri?: string
  /** Another process waits for the outcome. */
  readonly followed?: true
  /** Given up by its holder, for whoever follows to take over. */
  readonly left?: true
  /** How it ended, for those who followed. */
  readonly failed?: ErrorRecord
}

/** What an authorization server says of itself, or, with the `url` of its document, a protected resource. */
export type DiscoveryRecord =
  | { readonly metadata: AuthorizationServerMetadata; readonly fresh_until: number; readonly url?: undefined }
  | { readonly metadata: ProtectedResourceMetadata; readonly fresh_until: number; readonly url: string }

/** What each kind of record holds. */
export interface Kinds {
  readonly grant: Grant
  readonly registration: RegistrationRecord
  readonly attempt: WaitingRecord | TakenRecord
  readonly login: LoginRecord
  readonly discovery: DiscoveryRecord
}

/** A record as it was read: `raw` is what a compare-and-set must find again. */
export interface Read<T> {
  readonly raw: string | undefined
  readonly value: T | undefined
}

type Parts = readonly (string | undefined)[]

const hash = (parts: Parts): Promise<string> => sha256Base64url(JSON.stringify(parts))

/** Typed records over a Store: keys, format, and what becomes of those that cannot be read. */
export class Records {
  readonly #store: Store
  readonly #prefix: string
  readonly #now: () => number
  readonly #diagnose: (diagnostic: Diagnostic) => void
  /** Lengths of records that were told of: one that stays as it is is told of once. */
  readonly #unreadable = new Map<string, number>()

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
  async list<K extends keyof Kinds>(kind: K, parts: Parts): Promise<readonly (Read<Kinds[K]> & { key: string })[]> {
    const keys = await this.#list(`${await this.key(kind, parts)}.`)
    return Promise.all(keys.map(async (key) => ({ key, ...(await this.read(kind, key)) })))
  }

  /** The keys of a kind that were made without `within`. */
  keys(kind: keyof Kinds): Promise<readonly string[]> {
    return this.#list(`${this.#prefix}/${kind}/`)
  }

  /** The name of one application may begin with that of another, slash and all: theirs are not ours. */
  async #list(prefix: string): Promise<readonly string[]> {
    const keys = await this.#use('list', prefix, (store) => store.keys(prefix))
    return keys.filter((key) => key.startsWith(prefix) && /^[\w-]+$/.test(key.slice(prefix.length)))
  }

  async read<K extends keyof Kinds>(kind: K, key: string): Promise<Read<Kinds[K]>> {
    const raw = await this.#use('read', key, (store) => store.get(key))
    const value = raw === undefined ? undefined : decode(kind, raw)
    if (raw === undefined || value !== undefined) this.#unreadable.delete(key)
    else if (this.#unreadable.get(key) !== raw.length) {
      this.#unreadable.set(key, raw.length)
      const expected = `a ${kind} record of format ${FORMAT}`
      this.#diagnose({ code: 'record_discarded', url: key, expected, received: 'something else' })
    }
    return { raw, value }
  }

  /** @returns the record as it is now, or undefined where it was no longer `expected` */
  write<T extends Kinds[keyof Kinds]>(
    key: string,
    expected: string | undefined,
    value: T | undefined,
    expiresAt?: number,
  ): Promise<Read<T> | undefined> {
    const raw = value && JSON.stringify({ format: FORMAT, created_at: this.#now(), value })
    return this.#use('write', key, async (store) => {
      const written = await store.replace(key, expected, raw, expiresAt === undefined ? undefined : { expiresAt })
      return written ? { raw, value } : undefined
    })
  }

  /** Undefined where the store cannot tell. */
  watch(key: string, changed: () => void): (() => void) | undefined {
    return this.#store.watch?.(key, changed)
  }

  async #use<T>(step: string, key: string, work: (store: Store) => Promise<T>): Promise<T> {
    try {
      return await work(this.#store)
    } catch (cause) {
      if (CountersignError.is(cause)) throw cause
      const received = cause instanceof Error ? cause.message : String(cause)
      throw new CountersignError('store_unavailable', {
        step,
        expected: `${key} in ${this.#store.name}`,
        received,
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

function decode<K extends keyof Kinds>(kind: K, raw: string): Kinds[K] | undefined {
  try {
    const { format, value } = JSON.parse(raw)
    return format === FORMAT && isRecord(kind, value) ? value : undefined
  } catch {
    // No JSON, or no object: said by the caller, in the words of the record.
    return undefined
  }
}
