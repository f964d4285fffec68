import { seedGrant } from '../support/seeded.js'
import { signIn, signOut, use } from './hosts.js'
import { loginBefore } from './login-record.js'
import { Round } from './round.js'
import type { Process } from './simulation.js'
import type { Figures, World } from './world.js'

/** Plays one round of a world: real connectors over simulated time, store, network and authorization server. */
export async function play(world: World, seed: number): Promise<Figures> {
  const round = new Round(world, seed)
  const { sim, users, figures, store, server } = round
  const endMs = world.gap === undefined ? 2_600_000 : 20_000_000
  const running = new Set<{ readonly process: Process }>()
  const busy = (): boolean => [...running].some(({ process }) => !process.dead)
  const start = (process: Process, work: (round: Round, process: Process) => Promise<void>): void => {
    const one = { process }
    running.add(one)
    void work(round, process).finally(() => running.delete(one))
  }
  const startUser = (process: Process, requests: number): void => {
    users.add(process)
    start(process, () => use(round, process, requests))
  }

  await seedGrant(store.direct, loginBefore(world, server))
  /** A process that is gone after a while, and followed by another. */
  const live = (lifeMs: number): void => {
    const process = sim.process()
    startUser(process, 1)
    sim.later(lifeMs, () => {
      if (busy()) figures.starved++
      round.kill(process)
      if (sim.now < endMs - 200_000) live(lifeMs)
    })
  }
  if (world.lives) live(world.lives * 1_000)
  else {
    for (let i = 0; i < world.n; i++) {
      startUser((world.twins && i === 1 && sim.processes[0]) || sim.process(), world.requests ?? 3)
    }
  }
  for (let i = 0; i < (world.logins ?? 0); i++) start(sim.process(), signIn)
  if (world.signOut) start(sim.process(), signOut)
  await sim.run(endMs, () => !busy() && !world.lives)
  // What a store refused is written later, without anybody who asks for it.
  await sim.run(sim.now + 600_000, () => false)
  if (busy()) figures.stuck++
  round.judge()
  return figures
}
