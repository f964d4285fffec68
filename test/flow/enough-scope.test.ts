import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { soon } from '../support/soon.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** A connection whose person waits until told to go on, and the scopes of the pages that were opened. */
function connect(options: ConnectorOptions = {}) {
  const asked: string[] = []
  let goOn = (): void => undefined
  const told = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const agent = scriptedAgent({
    browser: async (url) => {
      asked.push(new URL(url).searchParams.get('scope') ?? '')
      await told
      return followRedirect(url)
    },
  })
  const connector = open(createConnector({ userAgent: agent, ...options }))
  return { connection: connector.connect(server.url), agent, asked, goOn: () => goOn() }
}

/** The server grants what was asked for, and says so. */
function grantsWhatIsAsked(asked: readonly string[]): Map<string, string> {
  const granted = new Map<string, string>()
  server.routes.token = (_request, usual) => {
    const answer = usual()
    const json = { ...Object(answer.json), scope: asked.at(-1) }
    granted.set(json.access_token, json.scope)
    return { ...answer, json }
  }
  return granted
}

describe('authorize() with a login in the store', () => {
  it.each<[string, ConnectorOptions]>([
    ['without a user agent', {}],
    ["with interaction 'never'", { interaction: 'never', userAgent: scriptedAgent() }],
    ['with a user agent, which has no page to show', { userAgent: scriptedAgent() }],
  ])('resolves %s', async (_name, options) => {
    const store = memoryStore()
    const first = connect({ store })
    first.goOn()
    await first.connection.authorize({ scope: 'read' })
    const connection = open(createConnector({ store, ...options })).connect(server.url)
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect(await connection.authorize({ scope: 'read' })).toMatchObject({ status: 'signed_in' })
    expect(first.asked).toEqual(['read'])
  })

  it('says what is missing where it cannot open a page for more', async () => {
    const store = memoryStore()
    const first = connect({ store })
    first.goOn()
    await first.connection.authorize({ scope: 'read' })
    const connection = open(createConnector({ store })).connect(server.url)
    await expect(connection.authorize({ scope: 'write' })).rejects.toMatchObject({
      code: 'interaction_required',
      interaction: { reason: 'more_scope', scope: 'write' },
    })
  })
})

describe('a login that is joined for more than it was opened for', () => {
  it('authorize(): another one is opened for what was asked', async () => {
    const { connection, agent, asked, goOn } = connect()
    grantsWhatIsAsked(asked)
    const [read, admin] = [connection.authorize({ scope: 'read' }), connection.authorize({ scope: 'admin' })]
    await soon(() => agent.pages.length).toBe(1)
    goOn()
    expect(await read).toMatchObject({ scope: 'read' })
    expect(await admin).toMatchObject({ status: 'signed_in', scope: 'read admin' })
    expect(asked).toEqual(['read', 'read admin'])
  })

  it('authorize() for as much: one page is enough', async () => {
    const { connection, agent, asked, goOn } = connect()
    grantsWhatIsAsked(asked)
    const all = ['read write', 'read', 'write'].map((scope) => connection.authorize({ scope }))
    await soon(() => agent.pages.length).toBe(1)
    goOn()
    await Promise.all(all)
    expect(asked).toEqual(['read write'])
  })

  it('two requests that need different scopes at once: each gets what it asked for, in two pages', async () => {
    const { connection, agent, asked, goOn } = connect()
    const granted = grantsWhatIsAsked(asked)
    const login = connection.authorize({ scope: 'read' })
    goOn()
    await login
    server.routes.mcp = ({ headers }) => {
      const need = String(headers['x-need'])
      const has = granted.get(headers.authorization?.replace('Bearer ', '') ?? '') ?? ''
      if (has.split(' ').includes(need)) return { json: {} }
      return { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${need}"` } }
    }
    const answers = await Promise.all(['a', 'b'].map((need) => ping(connection, { headers: { 'x-need': need } })))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(asked.map((scope) => scope.split(' ').length)).toEqual([1, 2, 3])
    expect(agent.begun).toBe(3)
  })
})
