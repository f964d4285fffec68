import { CountersignError } from '../errors/error.js'
import type { AttemptIn } from './attempt.js'
import type { AttemptRecord, CompletionRecord, Read } from './records.js'
import type { Runtime } from './runtime.js'

const step = 'authorize'
/** How long a completed login is remembered, in milliseconds. */
const REMEMBERED_MS = 600_000

type Stored = AttemptRecord | CompletionRecord

/** What the record of a `state` says: a login that waits, or one that was completed already. */
export interface Found {
  readonly key: string
  readonly read: Read<Stored>
  readonly record: Stored
}

/** Puts a login where any process can complete it. */
export async function savePending(
  runtime: Runtime,
  attempt: AttemptIn<'authorizing'>,
  carried: boolean,
): Promise<void> {
  const { state, expires_at } = attempt.pending
  const key = await runtime.records.key('attempt', [state])
  const written = await runtime.records.write('attempt', key, undefined, { attempt, carried }, expires_at)
  if (written === undefined) {
    throw new CountersignError('unexpected', { step, received: 'a login with this state exists already' })
  }
}

/** Drops a login that was given up, so that a late response finds nothing. */
export async function dropPending(runtime: Runtime, state: string): Promise<void> {
  const key = await runtime.records.key('attempt', [state])
  const { raw, value } = await runtime.records.read('attempt', key)
  if (value !== undefined && 'attempt' in value) await runtime.records.write('attempt', key, raw, undefined)
}

/**
 * The record of a `state`.
 *
 * @throws CountersignError `login_not_found`
 */
export async function findPending(runtime: Runtime, state: string): Promise<Found> {
  const key = await runtime.records.key('attempt', [state])
  const read = await runtime.records.read('attempt', key)
  if (read.value === undefined) throw new CountersignError('login_not_found', { step })
  return { key, read, record: read.value }
}

/**
 * Takes a login out of the store, so that its code is sent once: a marker stands in its place.
 *
 * @returns says how it ended; the marker of one that failed goes
 * @throws CountersignError `login_not_found` when somebody else was faster
 */
export async function takePending(runtime: Runtime, found: Found): Promise<(completed: boolean) => Promise<unknown>> {
  const { key, read, record } = found
  if (!('attempt' in record)) throw new CountersignError('login_not_found', { step })
  const { url, account, app_state } = record.attempt.request
  const marker: CompletionRecord = { completed: false, url, account, app_state, carried: record.carried }
  const until = runtime.clock.now() + REMEMBERED_MS
  const taken = await runtime.records.write('attempt', key, read.raw, marker, until)
  if (taken === undefined) throw new CountersignError('login_not_found', { step })
  return (completed) =>
    runtime.records.write('attempt', key, taken.raw, completed ? { ...marker, completed } : undefined, until)
}

/** Waits for a completion that another process has under way, and says whether it came to a good end. */
export async function awaitCompletion(runtime: Runtime, key: string): Promise<boolean> {
  const until = runtime.clock.monotonic() + 3 * runtime.requestTimeoutMs
  for (;;) {
    const { value } = await runtime.records.read('attempt', key)
    if (value === undefined || 'attempt' in value) return false
    if (value.completed) return true
    if (runtime.clock.monotonic() >= until) return false
    await runtime.clock.sleep(250)
  }
}
