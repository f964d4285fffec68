import { CountersignError } from '../errors/error.js'
import { defined } from '../primitives/defined.js'
import { randomId } from '../primitives/random-id.js'
import type { ConnectionCore } from './connection-core.js'
import type { LoginRecord, Read } from './records.js'

const LASTS_MS = 30_000
const POLL_MS = 250
/** How long those who follow can still read why a login failed. */
const FAILED_MS = 60_000

/** The lease of a login: who holds it asks the person, and everybody else follows. */
export class LoginLease {
  /** Aborts when the login is given up, and when another process has taken it over. */
  readonly signal: AbortSignal
  /** Taken over from a holder that is gone, together with the page that is open. */
  readonly inherited: boolean
  readonly #core: ConnectionCore
  readonly #key: string
  readonly #id: string
  readonly #stop = new AbortController()
  readonly #over = new AbortController()
  #seen: Read<LoginRecord>

  constructor(core: ConnectionCore, key: string, seen: Read<LoginRecord>, inherited: boolean, given: AbortSignal) {
    this.#core = core
    this.#key = key
    this.#seen = seen
    this.#id = seen.value?.id ?? ''
    this.inherited = inherited
    this.signal = this.#stop.signal
    given.addEventListener('abort', () => this.#stop.abort(given.reason), { signal: this.#over.signal })
    if (given.aborted) this.#stop.abort(given.reason)
    void this.#keep()
  }

  /** Another process has it by now, or had it: then there is no record any more. */
  lost = false

  /** What the record says, which is what was inherited until something is written over it. */
  get record(): Partial<LoginRecord> {
    return this.#seen.value ?? {}
  }

  /** Renews it no more. */
  close(): void {
    this.#over.abort()
  }

  /**
   * Gives the lease back. Those who follow are told how the login failed, once the person was asked: what only this process
   * cannot do, they try themselves.
   *
   * @param left - the holder alone gave it up, and whoever follows goes on with it
   * @returns whether the attempt is somebody else's now
   */
  async end(error?: CountersignError, left = false): Promise<boolean> {
    const { records } = this.#core.runtime
    this.close()
    try {
      if (error !== undefined) this.#seen = await records.read('login', this.#key)
      const { followed, attempt } = this.record
      const told = error && followed && attempt !== undefined && (left || error.action !== 'fix_configuration')
      await this.say(told ? (left ? { left } : { failed: error.toJSON() }) : undefined)
      return this.lost || (told === true && left)
    } catch (refused) {
      return this.#tell(refused)
    }
  }

  /**
   * Says more of the login, or with undefined that it is over, for as long as it is ours: those who follow write too.
   *
   * @returns whether it is
   */
  async say(news: { readonly [K in keyof LoginRecord]?: LoginRecord[K] | undefined } | undefined): Promise<boolean> {
    const { records, clock, loginTimeoutMs } = this.#core.runtime
    for (;;) {
      const { value, raw } = this.#seen
      if (value?.id !== this.#id) {
        this.lost = true
        this.#stop.abort()
        return false
      }
      const at = clock.now()
      const next = news && ({ ...value, ...news, at } as LoginRecord)
      const written = await records.write(this.#key, raw, next, at + (news?.failed ? FAILED_MS : loginTimeoutMs))
      this.#seen = written ?? (await records.read('login', this.#key))
      if (written !== undefined) return true
    }
  }

  /** @returns whether it is still ours, as far as the store says */
  renew(): Promise<boolean> {
    return this.say({}).catch((error) => !this.#tell(error))
  }

  async #keep(): Promise<void> {
    const { signal } = this.#over
    for (let held = true; held; ) {
      await this.#core.runtime.clock.sleep(LASTS_MS / 3, signal)
      if (signal.aborted) return
      held = await this.renew()
    }
  }

  /** A store that refuses ends no login: at worst another process asks the person too. */
  #tell(error: unknown): false {
    if (!CountersignError.is(error)) throw error
    this.#core.emit('kept', 'warn', { error })
    return false
  }
}

/**
 * Takes the lease of a login, or follows whoever has it.
 *
 * @param enough - whether what another process brought is what is wanted
 * @returns the lease; undefined when somebody else's login was enough
 * @throws what the login that was followed failed with
 */
export async function leadLogin(
  core: ConnectionCore,
  given: AbortSignal,
  enough: () => boolean,
): Promise<LoginLease | undefined> {
  const { runtime, held, url, account } = core
  const { records, clock, random, presence, loginTimeoutMs } = runtime
  const key = await records.key('login', [url, account])
  let followed: string | undefined
  let raw: string | undefined
  let last = clock.monotonic()
  let unchangedMs = 0

  const gone = async ({ failed, left, holder, at, lasts_ms }: LoginRecord): Promise<boolean> => {
    if (failed || left || unchangedMs >= lasts_ms) return true
    const alive = holder === '' ? undefined : await presence?.alive(holder)
    // Nobody to be seen, and nothing written for long: what a crash has left.
    return alive === false || (alive === undefined && followed === undefined && clock.now() - at > 2 * lasts_ms)
  }

  for (;;) {
    if (given.aborted) throw given.reason
    const seen = await records.read('login', key)
    const { value } = seen
    const now = clock.monotonic()
    // A process that was stopped itself has not watched for all that time.
    unchangedMs = seen.raw === raw ? unchangedMs + Math.min(now - last, 2 * POLL_MS) : 0
    raw = seen.raw
    last = now
    const free = value === undefined || (await gone(value))
    if (followed !== undefined && (free || value.id !== followed)) {
      await held.read()
      if (enough()) return undefined
      if (value?.failed && value.id === followed) throw new CountersignError(value.failed.code, value.failed)
    }
    if (free) {
      // A code that is polled for is open wherever the person is: whoever comes later goes on with it.
      const polled = value?.attempt !== undefined && value.redirect_uri === undefined
      const inherited = value !== undefined && (value.id === followed || polled)
      const mine: LoginRecord = {
        ...(inherited && defined({ attempt: value.attempt, redirect_uri: value.redirect_uri })),
        id: randomId(random),
        holder: (await presence?.self()) ?? '',
        at: clock.now(),
        lasts_ms: LASTS_MS,
      }
      const written = await records.write(key, seen.raw, mine, clock.now() + loginTimeoutMs)
      if (written === undefined) continue
      if (followed === undefined) {
        // Between the last look at the grant and the lease another process may have come to its end.
        await held.read()
        if (enough()) {
          await records.write(key, written.raw, undefined)
          return undefined
        }
      }
      return new LoginLease(core, key, written, inherited, given)
    }
    if (!value.followed) await records.write(key, raw, { ...value, followed: true }, clock.now() + loginTimeoutMs)
    if (followed !== value.id) core.emit('login_followed', 'debug')
    followed = value.id
    await clock.sleep(POLL_MS, given)
  }
}
