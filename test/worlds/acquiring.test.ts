import { beforeEach, describe, expect, it } from 'vitest'
import { figure, rounds } from '../support/figures.js'
import { PROCESSES, playAcquiring, REQUESTS } from './acquiring.js'
import { digestHere } from './reach.js'

const ROUNDS = rounds(1_000, 16)

beforeEach(digestHere)

describe('eight processes that want a token without a person: as in the model, one asks and every request is served', () => {
  it.each([
    ['one token a client: false, lease on the absent record: true', false],
    ['one token a client: true, lease on the absent record: true', true],
  ])('%s', { timeout: 600_000 }, async (name, single) => {
    const sum = { requests: 0, served: 0, failed: 0, dead: 0 }
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const round = await playAcquiring(single, seed)
      for (const of of ['requests', 'served', 'failed', 'dead'] as const) sum[of] += round[of]
    }
    const { requests, served, failed, dead } = sum
    figure(`world: ${name}`, `${ROUNDS} rounds, requests ${requests}, served ${served}, failed ${failed}, dead ${dead}`)
    expect(sum).toEqual({ requests: ROUNDS, served: ROUNDS * PROCESSES * REQUESTS, failed: 0, dead: 0 })
  })
})
