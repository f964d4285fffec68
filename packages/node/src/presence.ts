import { createHash } from 'node:crypto'
import { readFile, readlink, stat } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import type { Presence } from '@countersign/core'

/** For tests: another platform's rules, another process table. */
export interface PresenceInternals {
  readonly platform?: NodeJS.Platform
  readonly proc?: string
}

/** A process, as a lease names it. A part that could not be read is empty, and then proves nothing. */
interface Holder {
  /** Digest of what tells this machine from others. */
  readonly machine: string
  /** Digest of the boot and of the namespaces that process ids and start times are counted in. */
  readonly space: string
  readonly pid: number
  /** When the process started: clock ticks since boot on Linux, milliseconds since the epoch elsewhere. */
  readonly start: string
}

/**
 * This process, and whether another that holds a lease is still there: same machine, same boot and same process
 * namespace, process id and start time. What cannot be known is `undefined`, so that the lease is waited for.
 *
 * On Linux all of it is read from `/proc`. Elsewhere a process that is gone is told, and one whose id is in use is not:
 * it may be another with the same id.
 *
 * The name holds digests and numbers, nothing secret.
 */
export function nodePresence({ platform = process.platform, proc = '/proc' }: PresenceInternals = {}): Presence {
  const linux = platform === 'linux' || platform === 'android'
  let me: Promise<Holder> | undefined
  const own = (): Promise<Holder> => {
    me ??= linux ? linuxHolder(proc) : otherHolder()
    return me
  }
  return {
    self: async () => format(await own()),
    alive: async (name) => {
      const holder = parse(name)
      const self = await own()
      if (holder === undefined || self.machine === '' || holder.machine !== self.machine) return undefined
      if (linux && (self.space === '' || holder.space !== self.space)) return undefined
      if (!exists(holder.pid)) return false
      if (holder.pid === self.pid && holder.start === self.start && self.start !== '') return true
      // Without start times, an id in use may be that of a later process.
      if (!linux || holder.start === '' || self.start === '') return undefined
      const found = await startTime(proc, holder.pid)
      return found === undefined ? undefined : found === holder.start
    },
  }
}

const format = ({ machine, space, pid, start }: Holder): string => ['p1', machine, space, pid, start].join('.')

function parse(name: string): Holder | undefined {
  const [format, machine, space, digits, start, ...more] = name.split('.')
  if (format !== 'p1' || !machine || space === undefined || start === undefined || more.length > 0) return undefined
  const pid = Number(digits)
  return Number.isSafeInteger(pid) && pid > 0 ? { machine, space, pid, start } : undefined
}

async function linuxHolder(proc: string): Promise<Holder> {
  const [machine, boot, pids, times, start] = await Promise.all([
    read('/etc/machine-id'),
    read(`${proc}/sys/kernel/random/boot_id`),
    link(`${proc}/self/ns/pid`),
    link(`${proc}/self/ns/time`),
    startTime(proc, process.pid, 'self'),
  ])
  // A kernel without time namespaces has no such link, and then nobody on it has.
  const space = boot === '' || pids === '' ? '' : digest([boot, pids, times])
  return { machine: digest([hostname(), machine]), space, pid: process.pid, start: start ?? '' }
}

/** Neither machine id nor boot id without starting a program: the person's own folder for temporary files stands in. */
async function otherHolder(): Promise<Holder> {
  const folder = tmpdir()
  const made = await stat(folder).then(({ birthtimeMs, dev, ino }) => [birthtimeMs, dev, ino].join(), absent)
  const start = String(Math.round(performance.timeOrigin))
  return { machine: made && digest([hostname(), folder, made]), space: '', pid: process.pid, start }
}

/** Whether the process id is in use. It may be another person's process, which may not be signalled. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Field 22 of `/proc/<pid>/stat`, `'gone'` for a process that has ended and is not yet reaped, `undefined` where it
 * cannot be read (a `/proc` that hides other people's processes) or belongs to another process (a `/proc` mounted from
 * another namespace).
 */
async function startTime(proc: string, pid: number, entry: string = String(pid)): Promise<string | undefined> {
  const line = await read(`${proc}/${entry}/stat`)
  // The second field is the program's name in parentheses, and may contain parentheses and spaces.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [state, start] = [fields[0], fields[19]]
  if (start === undefined || !line.startsWith(`${pid} (`)) return undefined
  return state === 'Z' || state === 'X' ? 'gone' : start
}

const absent = (): string => ''
const read = (path: string): Promise<string> => readFile(path, 'utf8').then((text) => text.trim(), absent)
const link = (path: string): Promise<string> => readlink(path).catch(absent)

const digest = (parts: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify(['countersign presence', ...parts]))
    .digest('base64url')
    .slice(0, 22)
