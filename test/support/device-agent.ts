import { deviceGrant, type Page, type UserAgent } from '@countersign/core'
import { type WatchedAgent, watched } from './watched-agent.js'

export type DevicePage = Extract<Page, { readonly kind: 'device' }>

/**
 * A user agent that shows a code, and whose person the test plays.
 *
 * @param present - what comes of showing it. Default: it is shown at once
 */
export function deviceAgent(present: UserAgentPresent = async () => 'shown'): WatchedAgent {
  return watched({
    onDemand: true,
    begin: () => ({
      way: async ({ device }) => (device ? { kind: 'device', grant: deviceGrant() } : undefined),
      present,
      end: async () => undefined,
    }),
  })
}

type UserAgentPresent = ReturnType<UserAgent['begin']>['present']
