import { CountersignError, type Presentation, type UserAgent } from '@countersign/core'
import { otherPage } from './failures.js'

/**
 * Asks one user agent after the other, until one can serve the authorization server: `deviceCode()` where it has the device
 * grant, say, else `paste()`. What then fails is not tried with the next: the person has been asked.
 *
 * @throws CountersignError `options_invalid` without any
 * @example
 * ```ts
 * createConnector({ appId, userAgent: firstThatWorks(deviceCode(), paste()) })
 * ```
 */
export function firstThatWorks(...agents: readonly UserAgent[]): UserAgent {
  const [first, ...others] = agents
  if (first === undefined) {
    const expected = 'firstThatWorks with at least one user agent'
    throw new CountersignError('options_invalid', { step: 'connect', expected, received: 'none' })
  }
  return {
    onDemand: agents.every(({ onDemand }) => onDemand),
    begin: (request) => begin(request, first, others),
  }
}

function begin(
  request: Parameters<UserAgent['begin']>[0],
  first: UserAgent,
  others: readonly UserAgent[],
): Presentation {
  // The first one at once, because it may need the click; the others when it is their turn.
  const begun = new Map<UserAgent, Presentation>([[first, first.begin(request)]])
  let chosen: Presentation | undefined
  const presentationOf = (agent: UserAgent): Presentation => {
    const presentation = begun.get(agent) ?? agent.begin(request)
    begun.set(agent, presentation)
    return presentation
  }
  return {
    async way(server) {
      let unsuitable: CountersignError | undefined
      for (const agent of [first, ...others]) {
        try {
          chosen = presentationOf(agent)
          const way = await chosen.way(server)
          if (way !== undefined) return way
        } catch (error) {
          if (!CountersignError.is(error) || error.code !== 'user_agent_unsuitable') throw error
          unsuitable ??= error
        }
      }
      if (unsuitable !== undefined) throw unsuitable
      return undefined
    },
    async present(page) {
      if (chosen === undefined) throw otherPage(request.url, 'a page that way() has prepared', page.kind)
      return chosen.present(page)
    },
    async end(outcome) {
      const ends = [...begun.values()].map((presentation) => presentation.end(outcome))
      await Promise.allSettled(ends)
      await Promise.all(ends)
    },
  }
}
