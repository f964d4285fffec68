import { CountersignError, type UserAgent } from '@countersign/core'
import { deviceCode } from './headless/device-code.js'
import { firstThatWorks } from './headless/first-that-works.js'
import { paste } from './headless/paste.js'
import { isUnattended, noBrowser, type Surroundings, surroundings } from './headless/surroundings.js'
import { print } from './headless/terminal.js'
import { loopback } from './loopback/user-agent.js'

/**
 * The browser of this machine where one can open. Where none can, over SSH, in a container, without a display, the person at the
 * terminal gets a code where the server has the device grant, else the address to open elsewhere and a prompt to paste the
 * answer into. Where nobody is at a terminal, the login ends at once.
 */
export const defaultUserAgent = (look: () => Surroundings = surroundings): UserAgent => ({
  onDemand: true,
  begin: (request) => {
    const around = look()
    const why = noBrowser(around)
    const { types } = around.terminal
    // A server without redirects is served by a code, also where a browser could open.
    const agents = why === undefined ? [loopback(), ...codes(around)] : [deviceCode(), ...(types ? [paste()] : [])]
    const presentation = firstThatWorks(...(agents as [UserAgent, ...UserAgent[]])).begin(request)
    return {
      ...presentation,
      async way(server) {
        // Not before: what is wrong with the server is worth more than that nobody can be asked.
        if (why !== undefined && isUnattended(around)) throw nobodyThere(request.url, why)
        const way = await presentation.way(server)
        if (way === undefined && why !== undefined) throw nobodyThere(request.url, `${why}, and no input to paste into`)
        return way
      },
      async present(page) {
        if (why !== undefined) print(`No browser opens in ${why}: sign in with one elsewhere.\n`)
        return presentation.present(page)
      },
    }
  },
})

const codes = (around: Surroundings): readonly UserAgent[] => (isUnattended(around) ? [] : [deviceCode()])

const nobodyThere = (url: string, received: string): CountersignError =>
  new CountersignError('user_agent_unsuitable', {
    step: 'present',
    url,
    expected: 'a browser that opens here, or a terminal where a person is',
    received,
    hint:
      'Sign in where there is one, with the same store. Or reach the person in your own way, with userAgent: ' +
      'deviceCode({ show }), paste({ ask }) or loopback({ onUrl }).',
  })
