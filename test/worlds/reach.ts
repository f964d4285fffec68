import { createHash } from 'node:crypto'
import { vi } from 'vitest'
import type { Process, Simulation } from './simulation.js'

/** Work outside of a process, done after a while whatever becomes of it, and its answer when the process can hear it. */
export const reach = <T>(
  sim: Simulation,
  process: Process,
  ms: number,
  work: () => T,
  hears: (process: Process) => void = () => undefined,
): Promise<T> =>
  new Promise((resolve, reject) =>
    sim.later(ms, () => {
      let settle: () => void
      try {
        const value = work()
        settle = () => resolve(value)
      } catch (error) {
        settle = () => reject(error as Error)
      }
      sim.deliver(process, () => {
        hears(process)
        if (!process.dead) settle()
      })
    }),
  )

/**
 * Has digests computed at once: on another thread, as they are by themselves, they would be the only thing that waits for
 * something else than the simulation. Undone after the test.
 */
export function digestHere(): void {
  vi.spyOn(crypto.subtle, 'digest').mockImplementation(async (_algorithm, data) => {
    const { buffer, byteOffset, length } = createHash('sha256')
      .update(data as Uint8Array)
      .digest()
    return buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer
  })
}
