import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let one: ScriptedAuthorization
let two: ScriptedAuthorization
beforeEach(async () => {
  ;[one, two] = [open(await scriptedAuthorization()), open(await scriptedAuthorization())]
  // Told apart by what they issue.
  for (const [server, name] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const tokens = `token-of-${name}`
    server.routes.register = (_, usual) => ({
      ...usual(),
      json: { ...Object(usual().json), client_id: `client-of-${name}` },
    })
    server.routes.token = (_, usual) => {
      server.accessTokens.add(tokens)
      const answer = usual()
      return answer.status === undefined ? { json: { ...Object(answer.json), access_token: tokens } } : answer
    }
  }
})

const connectorOver = (options: ConnectorOptions = {}) =>
  open(createConnector({ store: memoryStore(), userAgent: scriptedAgent(), ...options }))

/** All that a server was told: paths, queries, headers, bodies. */
const told = ({ requests }: ScriptedAuthorization): string => JSON.stringify(requests.map((r) => [r, String(r.query)]))

describe('two servers, each with an authorization server of its own', () => {
  it('get each its own client and its own tokens, and nothing of the other', {
    tags: [
      'mcp/only-its-own-tokens',
      'mcp-discovery/state-per-issuer',
      'mcp-discovery/credentials-not-shared',
      'mcp-registration/bound-to-issuer',
    ],
  }, async () => {
    const connector = connectorOver()
    const [first, second] = [connector.connect(one.url), connector.connect(two.url)]
    for (const connection of [first, second, first, second]) expect((await ping(connection)).status).toBe(200)
    for (const connection of [first, second]) await connection.token({ refresh: true })
    for (const name of ['client-of-one', 'token-of-one'])
      expect([told(one), told(two)].map((all) => all.includes(name))).toEqual([true, false])
    for (const name of ['client-of-two', 'token-of-two'])
      expect([told(one), told(two)].map((all) => all.includes(name))).toEqual([false, true])
  })
})
