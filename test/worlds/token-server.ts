import { documentAt, refused } from './documents.js'
import { reach } from './reach.js'
import type { Process, Simulation } from './simulation.js'
import type { Figures, World } from './world.js'

/** How long an access token lives, in seconds. */
export const LIFE = 300
const PROBE_MS = 12_000

interface RefreshToken {
  readonly id: number
  readonly family: number
  spentAt?: number
  dead?: boolean
  child?: number
  uses: number
}

type Tokens = { readonly refresh: number; readonly access: number }

/** The authorization server of a world, and the MCP server beside it. Tokens are numbers in the order of issue. */
export class TokenServer {
  readonly #world: World
  readonly #sim: Simulation
  readonly #figures: Figures
  readonly #refresh = new Map<number, RefreshToken>()
  readonly #access = new Map<number, { readonly family: number; readonly expires: number }>()
  readonly #families = new Map<number, { alive: boolean; readonly order: number }>()
  #serial = 0
  /** A commit whose answer came to nobody. */
  answerLost = false
  /** When the last login exchanged its code, in milliseconds; before the first, -1. */
  loginAt = -1
  /** Processes whose last refresh came with a token that had come before. */
  readonly again = new Set<Process>()
  /** Told when the answer of a refresh is about to reach a process. */
  answering: (process: Process) => void = () => undefined
  /** Told when a process has sent a refresh. */
  sending: (process: Process) => void = () => undefined

  constructor(world: World, sim: Simulation, figures: Figures) {
    this.#world = world
    this.#sim = sim
    this.#figures = figures
  }

  /** A login at the server, and how long its access token lives, in seconds. */
  begin(life = LIFE): Tokens {
    if (this.#world.oneGrant) for (const family of this.#families.values()) family.alive = false
    const family = ++this.#serial
    this.#families.set(family, { alive: true, order: this.#families.size })
    return this.#issue(family, life)
  }

  /** Whether a refresh token can be used. */
  good(refresh: number): boolean {
    const token = this.#refresh.get(refresh)
    if (token === undefined || !this.#families.get(token.family)?.alive) return false
    return this.#world.server === 'fixed' || (token.spentAt === undefined && token.dead !== true)
  }

  /** Whether any login lives on. */
  get anyAlive(): boolean {
    return [...this.#families.values()].some(({ alive }) => alive)
  }

  /** Which of two results is newer: that of the later login, or the later one of the same. */
  older(a: Tokens, b: Tokens): boolean {
    const orderOf = (tokens: Tokens): number =>
      this.#families.get(this.#access.get(tokens.access)?.family ?? 0)?.order ?? 0
    const [one, other] = [orderOf(a), orderOf(b)]
    return one === other ? a.access < b.access : one < other
  }

  accepts(authorization: string | null): boolean {
    const access = this.#access.get(Number(authorization?.replace('Bearer a', '')))
    return access !== undefined && access.expires > this.#sim.now && this.#families.get(access.family)?.alive === true
  }

  /** What the MCP server answers to a request. */
  answer(authorization: string | null): Response {
    return this.accepts(authorization) ? new Response() : refused()
  }

  /** Answers one OAuth request of a process, in its own time. */
  fetch(process: Process, url: string, form: URLSearchParams): Promise<Response> {
    const { between } = this.#sim.seed
    const { pathname } = new URL(url)
    if (pathname !== '/token') {
      const answer = () => (pathname === '/revoke' ? this.#revoke(form.get('token') ?? '') : documentAt(pathname))
      return reach(this.#sim, process, between(50, 300), answer)
    }
    if (form.get('grant_type') === 'authorization_code') {
      this.loginAt = this.#sim.now
      return reach(
        this.#sim,
        process,
        between(1_000, 3_000),
        () => this.#body(this.#login(), 'read write'),
        this.answering,
      )
    }
    return this.#refreshRequest(process, Number(form.get('refresh_token')?.slice(1)))
  }

  #login(): Tokens {
    const last = [...this.#refresh.values()].at(-1)
    if (!this.#world.sameToken || last === undefined) return this.begin()
    return { refresh: last.id, access: this.#accessFor(last.family) }
  }

  #refreshRequest(process: Process, token: number): Promise<Response> {
    const { chance, between } = this.#sim.seed
    const { slow, lose, broken = 0.5, busy, edge } = this.#world
    const takes = chance(slow) ? between(31_000, 70_000) : between(1_000, 3_000)
    const [loses, resets, isBusy, breaksOff] = [chance(lose), chance(broken), chance(busy), chance(edge)]
    this.#figures.refreshes++
    this.sending(process)
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void): void =>
        this.#sim.deliver(process, () => {
          this.answering(process)
          settle()
        })
      const reset = (): void => answer(() => reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })))
      this.#sim.later(takes, () => {
        const issued = isBusy ? undefined : this.#spend(token)
        if ((this.#refresh.get(token)?.uses ?? 0) > 1) this.again.add(process)
        else this.again.delete(process)
        if (issued && (loses || breaksOff)) this.answerLost = true
        if (loses) return resets ? reset() : this.#sim.later(PROBE_MS, reset)
        if (isBusy) return answer(() => resolve(new Response('busy', { status: 503 })))
        if (issued === undefined)
          return answer(() => resolve(Response.json({ error: 'invalid_grant' }, { status: 400 })))
        if (breaksOff) return answer(() => resolve(new Response('gateway', { status: 504 })))
        return answer(() => resolve(this.#body(issued)))
      })
    })
  }

  #spend(id: number): Tokens | undefined {
    const { server, grace = 30 } = this.#world
    const token = this.#refresh.get(id)
    if (token === undefined) throw new Error(`a refresh token that nobody issued: ${id}`)
    token.uses++
    if (server !== 'fixed') this.#figures.storm = Math.max(this.#figures.storm, token.uses)
    if (token.spentAt !== undefined || token.dead) this.#figures.doubleSpends++
    const family = this.#families.get(token.family)
    if (!family?.alive) return undefined
    if (server === 'fixed') return { refresh: id, access: this.#accessFor(token.family) }
    if (token.dead) {
      family.alive = false
      return undefined
    }
    const anew = (): Tokens => {
      const issued = this.#issue(token.family)
      token.child = issued.refresh
      return issued
    }
    if (token.spentAt === undefined) {
      token.spentAt = this.#sim.now
      return anew()
    }
    if (server === 'plain') return undefined
    const inGrace = this.#sim.now - token.spentAt <= grace * 1_000
    if (server === 'grace-all' && inGrace) return anew()
    if (server === 'grace-once' && token.uses <= 2) return anew()
    const child = this.#refresh.get(token.child ?? 0)
    if (server === 'grace-last' && inGrace && child?.spentAt === undefined) {
      if (child !== undefined) child.dead = true
      return anew()
    }
    family.alive = false
    return undefined
  }

  #issue(family: number, life = LIFE): Tokens {
    const refresh = ++this.#serial
    this.#refresh.set(refresh, { id: refresh, family, uses: 0 })
    return { refresh, access: this.#accessFor(family, life) }
  }

  #accessFor(family: number, life = LIFE): number {
    const access = ++this.#serial
    this.#access.set(access, { family, expires: this.#sim.now + life * 1_000 })
    return access
  }

  #revoke(token: string): Response {
    const id = Number(token.slice(1))
    const family = this.#refresh.get(id)?.family
    if (family === undefined) return new Response(null)
    for (const [of, state] of this.#families) if (this.#world.revokeAll || of === family) state.alive = false
    return new Response(null)
  }

  #body({ refresh, access }: Tokens, scope?: string): Response {
    const expiry = this.#world.noExpiry ? {} : { expires_in: LIFE }
    return Response.json({
      access_token: `a${access}`,
      token_type: 'Bearer',
      refresh_token: `r${refresh}`,
      ...expiry,
      ...(scope && { scope }),
    })
  }
}
