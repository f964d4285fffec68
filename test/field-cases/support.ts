import { type Connection, type ConnectorOptions, createConnector } from '@countersign/core'
import { beforeEach } from 'vitest'
import {
  type Answer,
  type ScriptedAuthorization,
  type ScriptedOverride,
  scriptedAuthorization,
} from '../servers/index.js'
import { closing } from '../support/closing.js'
import { type Collector, collector } from '../support/collector.js'
import { scriptedAgent, type WatchedAgent } from '../support/watched-agent.js'

/** A well-behaved server, to be made to behave as one that was seen in the field. */
export interface Field {
  readonly server: ScriptedAuthorization
  /** What it sends to whoever brings no good token, `undefined` for no `WWW-Authenticate`. */
  challenge(header: string | readonly string[] | undefined): void
  /** Puts documents at paths of its origin; every other path that it does not know is 404. */
  serve(documents: Readonly<Record<string, Answer>>): void
  connect(
    options?: ConnectorOptions,
    query?: string,
  ): {
    readonly connection: Connection
    readonly agent: WatchedAgent
    readonly seen: Collector
  }
}

/** A new server for each test of a file. */
export function field(): Field {
  const open = closing()
  let server: ScriptedAuthorization
  beforeEach(async () => {
    server = open(await scriptedAuthorization())
  })
  return {
    get server() {
      return server
    },
    challenge(header) {
      server.routes.mcp = (_request, usual) => {
        const answer = usual()
        if (answer.status !== 401) return answer
        return { status: 401, ...(header !== undefined && { headers: { 'www-authenticate': [header].flat() } }) }
      }
    },
    serve(documents) {
      server.routes.other = ({ path }) => documents[path]
    },
    connect(options = {}, query = '') {
      const agent = scriptedAgent()
      const seen = collector()
      const connector = open(createConnector({ userAgent: agent, log: seen.log, ...options }))
      return { connection: connector.connect(server.url + query), agent, seen }
    },
  }
}

/** The usual document, with these members; undefined leaves one out. */
export const withMembers =
  (members: object): ScriptedOverride =>
  (_request, usual) => ({ json: { ...(usual().json as object), ...members } })

/** The endpoints of an authorization server, as a host gives them for one that says nothing of itself. */
export const endpointsAt = (origin: string) => ({
  authorization: `${origin}/authorize`,
  token: `${origin}/token`,
  registration: `${origin}/register`,
})
