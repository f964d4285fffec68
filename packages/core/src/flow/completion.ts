import { CountersignError } from '../errors/error.js'
import { defined } from '../primitives/defined.js'
import type { Kinds, Read, TakenRecord, WaitingRecord } from './records.js'
import type { Runtime } from './runtime.js'

/** How long a completed login is remembered, in milliseconds. */
const REMEMBERED_MS = 600_000

/** The record of a `state`: a login that waits, or one whose code was taken. */
export interface Found extends Read<Kinds['attempt']> {
  readonly key: string
  readonly value: Kinds['attempt']
}

const notFound = (): CountersignError => new CountersignError('login_not_found', { step: 'authorize' })

/**
 * Puts a login where any process can complete it.
 *
 * @returns the key of its record
 */
export async function savePending(
  { records }: Runtime,
  attempt: WaitingRecord['attempt'],
  carried: boolean,
): Promise<string> {
  const { pending } = attempt
  const { url, account, app_state } = attempt.request
  const record = defined({ url, account, app_state, carried, attempt })
  const key = await records.key('attempt', [pending.kind === 'redirect' ? pending.state : pending.id])
  await records.write(key, undefined, record, pending.expires_at)
  return key
}

/**
 * Drops a login that was given up, so that a late response finds nothing.
 *
 * @returns whether it was there
 */
export async function dropPending({ records }: Runtime, key: string): Promise<boolean> {
  const { raw, value } = await records.read('attempt', key)
  const waits = value !== undefined && 'attempt' in value
  return waits && (await records.write(key, raw, undefined)) !== undefined
}

/** @throws CountersignError `login_not_found` */
export async function findPending({ records }: Runtime, state: string): Promise<Found> {
  const key = await records.key('attempt', [state])
  const { raw, value } = await records.read('attempt', key)
  if (value === undefined) throw notFound()
  return { key, raw, value }
}

/**
 * Takes a login out of the store, so that its code is sent once: a marker stands in its place.
 *
 * @param patient - whoever was faster is waited for
 * @returns says how it ended; the marker of one that failed goes
 * @throws CountersignError `login_not_found` when somebody else was faster
 */
export async function takePending(
  runtime: Runtime,
  { key, raw, value }: Found,
  patient = false,
): Promise<(completed: boolean) => Promise<unknown>> {
  const { records, clock } = runtime
  const { url, account, app_state, carried } = value
  const marker: TakenRecord = defined({ url, account, app_state, carried, completed: false })
  const until = clock.now() + REMEMBERED_MS
  const taken = 'attempt' in value ? await records.write(key, raw, marker, until) : undefined
  if (taken === undefined) {
    if (patient) await awaitCompletion(runtime, key)
    throw notFound()
  }
  return (completed) => records.write(key, taken.raw, completed ? { ...marker, completed } : undefined, until)
}

/**
 * Waits for a completion that another process has under way.
 *
 * @throws CountersignError `login_not_found` when it came to nothing
 */
export async function awaitCompletion({ records, clock, requestTimeoutMs }: Runtime, key: string): Promise<void> {
  const until = clock.monotonic() + 3 * requestTimeoutMs
  while (clock.monotonic() < until) {
    const { value } = await records.read('attempt', key)
    if (value === undefined || 'attempt' in value) break
    if (value.completed) return
    await clock.sleep(250)
  }
  throw notFound()
}
