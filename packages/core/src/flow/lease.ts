import { randomId } from '../primitives/random-id.js'
import type { ConnectionCore } from './connection-core.js'
import type { Grant, Lease } from './grant.js'
import type { Seen } from './held-grant.js'
import type { Runtime } from './runtime.js'

const POLL_MS = 250
/** How long a login waits for a refresh that is under way elsewhere. */
const HAND_OVER_WAIT_MS = 10_000
/** A lease whose request has not left may be replaced after this long: nothing can be lost by it. */
const UNSENT_MS = 3_000
/** A lease that was taken longer ago than this by the wall clock holds nobody up, wherever its holder is. */
const STALE_MS = 600_000

/** How long a lease, and the socket under it, may last: three deadlines. */
export const leaseMs = (runtime: Runtime): number => 3 * runtime.requestTimeoutMs

/** A new lease, remembered as this connector's own. */
export async function newLease(runtime: Runtime): Promise<Lease> {
  const lease: Lease = {
    id: randomId(runtime.random),
    holder: (await runtime.presence?.self()) ?? '',
    taken_at: runtime.clock.now(),
    lasts_ms: leaseMs(runtime),
  }
  runtime.leases.set(lease.id, true)
  return lease
}

/** A lease that was taken, the turn that it gave, and the grant that it found. */
export interface Taken {
  readonly id: string
  readonly turn: number
  readonly was: string | undefined
}

/**
 * Puts a new lease into the record that was seen, marked sent from the start: for a request that spends no refresh token.
 *
 * @returns undefined when somebody else was faster
 */
export async function takeLease({ runtime, held }: ConnectionCore, seen: Seen): Promise<Taken | undefined> {
  const lease = await newLease(runtime)
  try {
    const leased = await held.apply(seen, { type: 'leased', lease: { ...lease, sent: true } })
    const { turn } = leased?.grant ?? {}
    if (turn !== undefined) return { id: lease.id, turn, was: 'grant' in seen.grant ? seen.grant.grant : undefined }
  } catch (error) {
    forgetLease(runtime, lease.id)
    throw error
  }
  forgetLease(runtime, lease.id)
  return undefined
}

/** A lease for the result of a login, which must have a turn like any refresh, so that the later of the two wins. */
export async function takeTurn(core: ConnectionCore): Promise<Taken> {
  for (;;) {
    const taken = await takeLease(core, await waitForLease(core, { atMostMs: HAND_OVER_WAIT_MS }))
    if (taken !== undefined) return taken
  }
}

/** Nobody here works under this lease any more; should the store still carry it, it may be replaced at once. */
export const forgetLease = (runtime: Runtime, id: string): void => {
  if (runtime.leases.has(id)) runtime.leases.set(id, false)
  // A connector that lives for months must not remember every refresh it made.
  for (const [old, used] of runtime.leases) {
    if (runtime.leases.size <= 64) break
    if (!used) runtime.leases.delete(old)
  }
}

/** How somebody waits for a lease. */
export interface Waiting {
  /** How long each sent one is waited for; unlimited by default. Where it is limited, one that is not sent is not waited for. */
  readonly atMostMs?: number
  /** Whether a record says enough as it is, whoever has its lease. */
  readonly enough?: (grant: Grant) => boolean
  /** Looked at before each wait: whether nobody needs what it is for any more. */
  readonly leave?: (() => boolean) | undefined
}

/** The record to go on from; `left`: there is nothing to go on with, somebody else is at it and nobody needs to wait. */
export interface Waited extends Seen {
  readonly left?: boolean | undefined
}

/**
 * Waits while somebody else's lease is to be respected.
 *
 * @returns a record that says enough, without a lease, or with one that may be replaced; or one that was left
 * @throws CountersignError `connector_closed`
 */
export async function waitForLease(core: ConnectionCore, waiting: Waiting = {}): Promise<Waited> {
  const { runtime, held } = core
  const { atMostMs = Infinity, enough, leave } = waiting
  let unchangedMs = 0
  let raw: string | undefined
  let told = false
  for (;;) {
    // Nothing of ours is under way yet, so there is nothing that closing would have to wait for.
    core.open()
    const seen = await held.read()
    const { lease } = seen.grant
    if (lease === undefined || enough?.(seen.grant) || runtime.leases.get(lease.id) === false) return seen
    if (!lease.sent && atMostMs < Infinity) return seen
    // As long as it was watched, not as a clock has it: a process that was stopped itself has seen nothing meanwhile.
    unchangedMs = seen.raw === raw ? unchangedMs + POLL_MS : 0
    raw = seen.raw
    if (unchangedMs >= atMostMs || (await replaceable(runtime, lease, unchangedMs))) return seen
    if (leave?.()) return { ...seen, left: true }
    if (!told) core.emit('lease_waited', 'debug')
    told = true
    await runtime.clock.sleep(POLL_MS)
  }
}

async function replaceable(runtime: Runtime, lease: Lease, unchangedMs: number): Promise<boolean> {
  // Ours and in use: a login and a refresh of one connector respect each other like strangers.
  if (runtime.leases.get(lease.id) === true) return false
  if (!lease.sent && unchangedMs >= UNSENT_MS) return true
  const alive = lease.holder === '' ? undefined : await runtime.presence?.alive(lease.holder)
  if (alive !== undefined) return !alive
  return unchangedMs >= lease.lasts_ms || runtime.clock.now() - lease.taken_at > STALE_MS
}
