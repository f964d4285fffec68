import { setTimeout as delay } from 'node:timers/promises'
import { type AuthorizationServer, type Commit, person, preciseNow } from '../servers/index.js'
import type { SeededRandom } from '../support/seeded-random.js'
import { soon } from '../support/soon.js'
import { type HostProcess, startHost } from './host-process.js'
import type { Place } from './store-places.js'

/** What became of a process that was killed in the middle of a refresh or a login, and of the login that it had or made. */
export interface Round {
  readonly doing: 'refresh' | 'login'
  /**
   * `unspent`: killed before anything was spent. `stored`: killed when its result was in the store. `between`: after the
   * server's commit, before the result was stored. `on its way`: before the commit, which the request then brought about.
   */
  readonly killed: 'unspent' | 'stored' | 'between' | 'on its way'
  /** Whether a person has to sign in again. */
  readonly lost: boolean
  /** From the server's commit to the end of our write, in the process that went on, which nobody killed meanwhile. */
  readonly windowMs: number
}

export interface Lane {
  readonly as: AuthorizationServer
  readonly url: string
  readonly random: SeededRandom
  newPlace(): Promise<Place>
}

/** How long a refresh and a login take; learnt from those that were not killed before they were through. */
interface Durations {
  refresh: number
  login: number
}

/** Kills one process after the other; each begins with what the one before has left behind. */
export async function* killedRounds(lane: Lane, rounds: number): AsyncGenerator<Round> {
  const durations: Durations = { refresh: 60, login: 250 }
  let at = await lane.newPlace()
  let host = await next(lane, at)
  try {
    for (let round = 0; round < rounds; round++) {
      const doing = lane.random.next() < 0.6 ? 'refresh' : 'login'
      if (doing === 'login' && lane.random.next() < 0.5) {
        // The first login of all, with nothing in the store.
        host.signal('SIGKILL')
        await host.ended
        at = await lane.newPlace()
        host = await next(lane, at)
      } else if ((await host.call({ do: 'read' })) === undefined) {
        await host.call({ do: 'authorize' })
      }
      const before = (await host.call({ do: 'read' }))?.refreshToken
      const killed = await kill(lane, host, doing, durations)
      host = await next(lane, at)
      yield await aftermath(lane.as, { doing, before, host, ...killed })
    }
  } finally {
    host.signal('SIGKILL')
    await host.ended
  }
}

const next = ({ url, as }: Lane, { store, env }: Place): Promise<HostProcess> =>
  startHost({ url, store }, { env, onPage: (page) => void atTheBrowser(as, page) })

/** A person who loads the page at the end again for a while, when the program behind it has gone. */
async function atTheBrowser(as: AuthorizationServer, page: string): Promise<void> {
  try {
    const callback = await person().authorizationResponse(page)
    for (let loaded = 0; loaded < 20; loaded++) {
      const response = await fetch(callback).catch(() => undefined)
      if (response !== undefined) return void (await response.text())
      await delay(150)
    }
  } catch (error) {
    // The test is over, and its server closed.
    if (as.requests.length > 0) throw error
  }
}

interface Killed {
  readonly killedAt: number
  readonly commits: readonly Commit[]
}

/** Kills it at any moment of what it is told to do, or at one soon after its request has come to the server. */
async function kill(lane: Lane, host: HostProcess, doing: Round['doing'], durations: Durations): Promise<Killed> {
  const { as, random } = lane
  const before = as.commits.length
  const near = random.next() < 0.5
  const waitMs = random.next() * (near ? 15 : durations[doing] * 1.2)
  let arrived = (): void => undefined
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  as.tokenEndpoint.intercept = () => {
    arrived()
    return undefined
  }
  as.clearRequests()
  const began = preciseNow()
  const work =
    doing === 'refresh' ? host.call({ do: 'token', refresh: true }) : host.call({ do: 'authorize', force: true })
  const through = work.then(
    () => true,
    () => false,
  )
  void through.then((done) => {
    // One that was killed took longer than this; one that was not shows how long it takes.
    if (done) durations[doing] = (durations[doing] + preciseNow() - began) / 2
  })
  if (near) await Promise.race([arrival, through])
  await delay(waitMs)
  host.signal('SIGKILL')
  const killedAt = preciseNow()
  await host.ended
  // What was on its way is decided by the server now.
  await soon(() => as.requests.every(({ path, status }) => path !== '/token' || status !== undefined)).toBe(true)
  as.tokenEndpoint.intercept = undefined
  return { killedAt, commits: as.commits.slice(before) }
}

interface Aftermath extends Killed {
  readonly doing: Round['doing']
  readonly before: string | undefined
  /** Another process, which finds what was left. */
  readonly host: HostProcess
}

/** Looks at what is left, and goes on with it. Throws where something is lost that need not be. */
async function aftermath(as: AuthorizationServer, left: Aftermath): Promise<Round> {
  const { doing, before, host, commits, killedAt } = left
  await host.call({ do: 'check' })
  const found = (await host.call({ do: 'read' }))?.refreshToken
  const commit = commits.at(-1)
  if (commits.length > 1) throw new Error(`${commits.length} commits for one ${doing}`)
  const stored = found === commit?.refreshToken
  if (!stored && found !== before)
    throw new Error('the store has a refresh token that is neither the old one nor the new')
  const killed = commit === undefined ? 'unspent' : stored ? 'stored' : commit.at > killedAt ? 'on its way' : 'between'
  const unstored = killed === 'between' || killed === 'on its way'
  // A login that was not stored leaves the one before as it was; a refresh token that was spent is gone.
  const gone = unstored && (doing === 'refresh' || before === undefined)
  const renewal = await renewed(host)

  if (found === undefined) {
    if (renewal !== 'interaction_required') throw new Error(`without a login: ${renewal}`)
  } else if (gone) {
    if (renewal !== 'interaction_required' || !host.events.includes('rotation_lost')) {
      throw new Error(`its answer was lost: ${renewal}, ${host.events}`)
    }
  } else if (renewal !== 'renewed') {
    throw new Error(`killed ${killed} in a ${doing}: ${renewal}, ${host.events}`)
  }
  // Whoever has to signs in again, and nothing that was left behind is in the way.
  if (renewal !== 'renewed') await host.call({ do: 'authorize' })
  const written = host.stored.at(-1)
  const committed = as.commits.at(-1)
  if (!written || !committed || written.refreshToken !== committed.refreshToken) throw new Error('not stored')
  return { doing, killed, lost: gone, windowMs: written.at - committed.at }
}

const renewed = (host: HostProcess): Promise<string> =>
  host.call({ do: 'token', refresh: true }).then(
    () => 'renewed',
    (error: Error) => error.message,
  )
