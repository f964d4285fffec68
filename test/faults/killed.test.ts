import { describe, expect, it } from 'vitest'
import { startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { figure, full, rounds } from '../support/figures.js'
import { seededRandom } from '../support/seeded-random.js'
import { killedRounds, type Round } from './killed-rounds.js'
import { places, type StoreKind, storeKinds } from './store-places.js'

const LANES = 2
const roundsOver = (kind: StoreKind['kind']): number => (kind === 'file' ? rounds(200, 10) : rounds(40, 4))

describe('kill -9 at random moments of refreshes and logins', () => {
  const place = places()
  const open = closing()
  const { seed } = seededRandom()

  async function lane(kind: StoreKind['kind'], number: number, count: number): Promise<readonly Round[]> {
    const as = open(await startAuthorizationServer())
    const { url } = open(await startMcpServer({ authorizationServer: as }))
    const random = seededRandom(seed).child(number)
    const found: Round[] = []
    try {
      for await (const round of killedRounds({ as, url, random, newPlace: () => place(kind) }, count)) found.push(round)
    } catch (cause) {
      throw new Error(`FAULTS_SEED=${seed}, lane ${number}, round ${found.length}: ${cause}`, { cause })
    }
    expect(as.errors).toEqual([])
    return found
  }

  it.for(storeKinds.filter(({ kind }) => full || kind !== 'keytar'))(
    '$name: readable every time, and a login is lost only between the server’s commit and our write',
    { timeout: 900_000 },
    async ({ name, kind, there }, { skip }) => {
      skip(!there)
      const count = roundsOver(kind)
      const all = (
        await Promise.all(Array.from({ length: LANES }, (_, number) => lane(kind, number, count / LANES)))
      ).flat()
      expect(all).toHaveLength(count)
      const of = (killed: Round['killed']): number => all.filter((round) => round.killed === killed).length
      const lost = all.filter((round) => round.lost)
      expect(lost.filter(({ killed }) => killed === 'unspent' || killed === 'stored')).toEqual([])
      figure(
        `kill -9 over ${name}`,
        `${count} rounds, ${count} times readable; killed before a commit ${of('unspent')}, after the write ${of('stored')}, ` +
          `in between ${of('between')}, before the commit of a request on its way ${of('on its way')}; ` +
          `logins lost ${lost.length}, all of them of the last two; ${medianWindow(all)}`,
      )
    },
  )
})

/** Of those that went on, and were not killed. */
function medianWindow(all: readonly Round[]): string {
  const widths = all.map(({ windowMs }) => windowMs).sort((a, b) => a - b)
  return `median window ${widths[Math.floor(widths.length / 2)]?.toFixed(1)} ms`
}
