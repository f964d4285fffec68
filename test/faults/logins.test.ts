import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type AuthorizationServer, person, startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { figure, full, rounds } from '../support/figures.js'
import { seededRandom } from '../support/seeded-random.js'
import { type HostProcess, startHost } from './host-process.js'
import { holdsTheNewest } from './signed-in.js'
import { type Place, places, storeKinds } from './store-places.js'

const open = closing()
/** Eight processes that share a machine with others take their time. */
const within = <T>(look: () => T) => expect.poll(look, { timeout: 45_000, interval: 20 })
const place = places()

async function servers(): Promise<{ readonly as: AuthorizationServer; readonly url: string }> {
  const as = open(await startAuthorizationServer())
  return { as, url: open(await startMcpServer({ authorizationServer: as })).url }
}

/** Hosts over one store. Their pages are opened by nobody, unless somebody does. */
const startAll = (count: number, url: string, { store, env }: Place): Promise<readonly HostProcess[]> =>
  Promise.all(Array.from({ length: count }, async () => open(await startHost({ url, store }, { env }))))

const signIn = (host: HostProcess): Promise<string> =>
  host.call({ do: 'authorize' }).then(
    ({ status }) => status,
    (error: Error) => error.message,
  )

const pagesOf = (hosts: readonly HostProcess[]): readonly string[] => hosts.flatMap(({ pages }) => pages)
const redirectUri = (page = ''): string | null => new URL(page).searchParams.get('redirect_uri')

/** Who asks the person, and who follows. */
async function asked(hosts: readonly HostProcess[]): Promise<{ holder: HostProcess; others: readonly HostProcess[] }> {
  await within(() => pagesOf(hosts).length).toBe(1)
  const others = hosts.filter(({ pages }) => pages.length === 0)
  await within(() => others.every(({ events }) => events.includes('login_followed'))).toBe(true)
  return { holder: hosts.find(({ pages }) => pages.length > 0)!, others }
}

describe.each(storeKinds.filter(({ kind }) => full || kind === 'file'))('processes over $name', (storeKind) => {
  it.skipIf(!storeKind.there).each([2, 8])(
    '%i that start at once, without a login, open one browser; every one is signed in by it',
    async (count) => {
      const { as, url } = await servers()
      const hosts = await startAll(count, url, await place(storeKind.kind))
      const done = Promise.all(hosts.map(signIn))
      const { holder } = await asked(hosts)
      await person().open(holder.pages[0]!)
      expect(await done).toEqual(hosts.map(() => 'signed_in'))
      expect(pagesOf(hosts)).toHaveLength(1)
      expect(as.commits).toHaveLength(1)
      expect(await holdsTheNewest({ as }, hosts[0]!)).toBe(true)
      const sent = await Promise.all(hosts.map((host) => host.call({ do: 'send', times: 3 })))
      expect(sent).toEqual(hosts.map(() => ({ ok: 3, failed: [] })))
      figure(`${count} processes without a login over ${storeKind.name}`, '1 browser, 1 code, all signed in')
    },
    120_000,
  )
})

it('two that sign in to two servers at once listen on two ports, and a second login of each uses one that is registered', async () => {
  const [one, two] = [await servers(), await servers()]
  const at = await place('file')
  const [first] = await startAll(1, one.url, at)
  const [second] = await startAll(1, two.url, at)
  const hosts = [first!, second!]
  const done = Promise.all(hosts.map(signIn))
  await within(() => pagesOf(hosts).length).toBe(2)
  expect(redirectUri(first?.pages[0])).not.toBe(redirectUri(second?.pages[0]))
  await Promise.all(pagesOf(hosts).map((page) => person().open(page)))
  expect(await done).toEqual(['signed_in', 'signed_in'])

  for (const [host, { as }] of [[first!, one] as const, [second!, two] as const]) {
    const again = host.call({ do: 'authorize', force: true })
    await within(() => host.pages.length).toBe(2)
    await person().open(host.pages[1]!)
    await again
    expect(as.requests.filter(({ path }) => path === '/reg')).toHaveLength(1)
  }
}, 120_000)

describe('kill -9 of the process that asks the person', () => {
  it('while they are at the page: another binds its port and completes the login by state; no second page', async () => {
    const { as, url } = await servers()
    const hosts = await startAll(3, url, await place('file'))
    const done = hosts.map(signIn)
    const { holder, others } = await asked(hosts)
    const callback = await person().authorizationResponse(holder.pages[0]!)
    holder.signal('SIGKILL')
    await holder.ended
    await within(() => others.some(({ events }) => events.includes('login_resumed'))).toBe(true)
    expect((await fetch(callback)).status).toBe(200)
    expect(await Promise.all(others.map((host) => done[hosts.indexOf(host)]))).toEqual(['signed_in', 'signed_in'])
    expect(pagesOf(hosts)).toHaveLength(1)
    expect(as.commits).toHaveLength(1)
  }, 120_000)

  it('at random moments: whoever is left is signed in, by the page that is open or by one more', async () => {
    const { seed } = seededRandom()
    const random = seededRandom(seed).child(0)
    const count = rounds(60, 4)
    let samePage = 0
    for (let round = 0; round < count; round++) {
      const { as, url } = await servers()
      const hosts = await startAll(2, url, await place('file'))
      const done = hosts.map(signIn)
      const { holder, others } = await asked(hosts)
      const [left] = others
      // Before the person comes back, while the code is exchanged, and after it.
      const visit = atTheBrowser(holder.pages[0]!, random.next() * 300)
      // At any moment, or in one of the few between the code on its way and the login in the store.
      const near = random.next() < 0.5 && within(() => as.requests.some(({ path }) => path === '/token')).toBe(true)
      await near
      await delay(random.next() * (near ? 15 : 400))
      holder.signal('SIGKILL')
      await holder.ended
      const mine = done[hosts.indexOf(left!)]!
      let over = false
      void mine.then(() => {
        over = true
      })
      await within(() => over || left!.pages.length > 0).toBe(true)
      if (over) samePage += 1
      else await person().open(left!.pages[0]!)
      expect(await mine, `FAULTS_SEED=${seed}, round ${round}`).toBe('signed_in')
      await visit
      expect(pagesOf(hosts).length).toBeLessThanOrEqual(2)
      expect(await holdsTheNewest({ as }, left!)).toBe(true)
      left!.signal('SIGKILL')
    }
    figure('kill -9 of who asks the person', `${count} rounds, all signed in; ${samePage} by the page that was open`)
  }, 900_000)
})

/** Somebody who takes a while, and loads the page at the end again where nobody answers. */
async function atTheBrowser(page: string, waitMs: number): Promise<void> {
  await delay(waitMs)
  const callback = await person().authorizationResponse(page)
  for (let loaded = 0; loaded < 20; loaded++) {
    const response = await fetch(callback).catch(() => undefined)
    if (response !== undefined) return void (await response.text())
    await delay(150)
  }
}
