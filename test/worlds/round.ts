import type { Grant } from '../../packages/core/src/flow/grant.js'
import { tokensIn } from './login-record.js'
import { SharedStore } from './shared-store.js'
import { type Process, Simulation, seeded } from './simulation.js'
import { TokenServer } from './token-server.js'
import { type Figures, noFigures, type StopAt, type World } from './world.js'

/** One round of a world: its store and server, what goes wrong in it and where, and what it comes to. */
export class Round {
  readonly world: World
  readonly sim: Simulation
  readonly server: TokenServer
  readonly store: SharedStore
  readonly figures: Figures = noFigures()
  /** Processes that make requests: only these are stopped and killed. */
  readonly users = new Set<Process>()
  /** Processes whose name was asked for. */
  readonly named = new Set<string>()
  /** When a sign-out began, and when its tombstone was there; milliseconds. */
  signedOut: { readonly began: number; at?: number } | undefined
  /** A process was killed, or stopped unseen, while its refresh was on its way. */
  #excused = false
  readonly #spending = new Set<Process>()

  constructor(world: World, seed: number) {
    this.world = world
    this.sim = new Simulation(seeded(seed))
    this.server = new TokenServer(world, this.sim, this.figures)
    this.store = new SharedStore(this.sim)
    this.#wire()
  }

  /** Whether what is stored can be used. */
  get good(): boolean {
    const { grant } = this.store
    const tokens = grant?.phase === 'valid' ? tokensIn(grant) : undefined
    return tokens !== undefined && this.server.good(tokens.refresh)
  }

  kill(process: Process): void {
    if (this.#spending.has(process)) this.#excused = true
    process.dead = true
  }

  /** Looks at what is left when everything is over. */
  judge(): void {
    const { figures, server, store, signedOut, world } = this
    if (signedOut?.at === undefined || server.loginAt > signedOut.at) {
      if (this.good) return
      figures.lost++
      if (!this.#excused && !server.answerLost && !world.blind) figures.unexplained++
    } else if (server.loginAt < signedOut.began) {
      if (store.grant?.phase !== 'absent') figures.resurrected++
      if (server.anyAlive) figures.leaked++
    }
  }

  #wire(): void {
    const { world, sim, server, store } = this
    const { chance } = sim.seed
    const mayDie = (process: Process): void => {
      if (this.users.has(process) && chance(world.crash)) this.kill(process)
    }
    store.hears = mayDie
    server.answering = (process) => {
      mayDie(process)
      this.#stopAt(process, 'before store')
      if (chance(world.noWrite)) store.refuses.set(process, sim.now + 200_000)
    }
    server.sending = (process) => sim.later(1_000, () => this.#stopAt(process, 'on answer'))
    store.apart = (process) => {
      if (!chance(world.torn)) return 0
      this.#excused = true
      this.#stop(process)
      return process.stoppedUntil - sim.now
    }
    store.wrote = (process, before, after) => this.#wrote(process, before, after)
  }

  #wrote(process: Process, before: Grant | undefined, after: Grant | undefined): void {
    const { signedOut, figures } = this
    if (after?.phase === 'absent' && signedOut && after.got > 0) signedOut.at ??= this.sim.now
    if (after?.lease?.sent) this.#spending.add(process)
    else this.#spending.delete(process)
    if (after?.lease !== undefined && this.users.has(process)) {
      if (!after.lease.sent) this.#stopAt(process, 'before mark')
      else if (before?.lease?.id === after.lease.id && !before.lease.sent) this.#stopAt(process, 'before send')
    }
    const [was, is] = [tokensIn(before), tokensIn(after)]
    if (was === undefined || is === undefined) return
    if (this.server.older(is, was)) figures.regress++
    if (is.scopes < was.scopes) figures.narrowed++
  }

  #stopAt(process: Process, where: StopAt): void {
    const { stopAt, stopChance = 0.2 } = this.world
    if (stopAt === where && this.sim.seed.chance(stopChance)) this.#stop(process)
  }

  #stop(process: Process): void {
    const { seen, stopFor = this.sim.seed.between(40, 240), asleep = false } = this.world
    if (!seen && this.#spending.has(process)) this.#excused = true
    this.sim.stop(process, stopFor * 1_000, asleep)
  }
}
