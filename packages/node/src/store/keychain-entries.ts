import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { keychainFailure, untrue } from './keychain-failure.js'
import type { Keytar } from './keytar.js'

const LATE = Symbol('late')

/** The entries of one service, each call under a time limit. */
export class KeychainEntries {
  readonly name: string
  readonly #service: string
  readonly #limitMs: number
  readonly #load: () => Promise<Keytar>
  readonly #underWay = new Set<Promise<unknown>>()
  #loading: Promise<Keytar> | undefined

  constructor(service: string, load: () => Promise<Keytar>, limitMs: number) {
    this.name = `the keychain (service "${service}")`
    this.#service = service
    this.#load = load
    this.#limitMs = limitMs
  }

  async read(account: string): Promise<string | undefined> {
    return (await this.#call('read', (keytar) => keytar.getPassword(this.#service, account))) ?? undefined
  }

  async write(account: string, text: string): Promise<void> {
    await this.#call('write', (keytar) => keytar.setPassword(this.#service, account, text))
  }

  async remove(account: string): Promise<void> {
    await this.#call('remove', (keytar) => keytar.deletePassword(this.#service, account))
  }

  /**
   * Writes a value and reads it back: then "not found" means just that. To be called under the lock.
   *
   * @throws CountersignError `store_unavailable`
   */
  async probe(): Promise<void> {
    const value = randomBytes(12).toString('base64url')
    await this.write('probe', value)
    const found = await this.read('probe')
    if (found !== value) throw untrue(this.name, found === undefined ? 'nothing' : 'something else')
    await this.remove('probe')
  }

  /** Until calls that came too late have ended: what they do must not happen under somebody else's lock. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async #call<T>(step: string, work: (keytar: Keytar) => Promise<T>): Promise<T> {
    const timer = new AbortController()
    try {
      this.#loading ??= this.#load()
      const keytar = await this.#loading
      const call = work(keytar)
      this.#underWay.add(call)
      const forget = () => this.#underWay.delete(call)
      call.then(forget, forget)
      const late = delay(this.#limitMs, LATE, { signal: timer.signal }).catch(() => LATE)
      const result = await Promise.race([call, late])
      if (result !== LATE) return result as T
    } catch (cause) {
      throw keychainFailure(step, this.name, cause)
    } finally {
      timer.abort()
    }
    throw keychainFailure(step, this.name, `no answer in ${this.#limitMs} ms; it may be locked, and wait for a person`)
  }
}
