import { beforeEach, describe, expect, it } from 'vitest'
import { figure, rounds } from '../support/figures.js'
import { play } from './play.js'
import { digestHere } from './reach.js'
import { worlds } from './table/all.js'
import { type Figures, noFigures } from './world.js'

// Each round is the real transaction code of several connectors over a simulated clock, store, network and server. Which of
// them goes on when follows from the seed; what it does then is the product's own.

/** What is not bad in itself, or has a rule of its own. */
const NEUTRAL = ['storm', 'unexplained']

beforeEach(digestHere)

/** How often something may happen: never, or as in the model and as far from it as chance goes, three deviations. */
function atMost(inModel: number, share: number): number {
  const expected = inModel * share
  // One case says nothing about what is expected to happen less than once.
  return expected === 0 ? 0 : Math.max(expected + 3 * Math.sqrt(expected), 2)
}

describe('a login of several processes: no figure is worse than in the model of the transaction', () => {
  it.each(worlds)('$name', { timeout: 600_000 }, async ({ model, ...world }) => {
    const all = rounds(1_000, world.few ?? 16)
    const share = all / 1_000
    const sum = noFigures()
    const names = Object.keys(sum) as (keyof Figures)[]
    for (let seed = 1; seed <= all; seed++) {
      const round = await play(world, seed)
      for (const name of names)
        sum[name] = name === 'storm' ? Math.max(sum.storm, round.storm) : sum[name] + round[name]
    }
    const shown = names.filter((name) => sum[name] > 0).map((name) => `${name} ${sum[name]}`)
    figure(`world: ${world.name}`, `${all} rounds, ${shown.join(', ')}`)

    // One that is not starved, where the model's is, may refresh.
    const more = Math.max(0, (model.starved ?? 0) * share - sum.starved)
    const most = (name: keyof Figures): number => atMost(model[name] ?? 0, share) + (name === 'refreshes' ? more : 0)
    const worse = names.filter((name) => !NEUTRAL.includes(name) && sum[name] > most(name))
    expect(worse, shown.join(', ')).toEqual([])
    // A loss that nothing excuses is the product's own.
    expect(sum.unexplained, shown.join(', ')).toBe(0)
    expect(sum.refreshes).toBeGreaterThan(0)
  })
})

it('a round follows from its seed', async () => {
  for (const world of worlds.filter(({ name }) => name.includes('stop before store') || name.includes('login'))) {
    expect(await play(world, 7)).toEqual(await play(world, 7))
  }
})
