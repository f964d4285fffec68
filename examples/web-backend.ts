// A web backend with many users. Two instances share a store and a session table, as behind a load balancer: a login
// begins at one and is completed at the other. `npx tsx examples/web-backend.ts`, then open the page that it names.

import { randomUUID } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Connection, CountersignError, createConnector, memoryStore } from '@countersign/node'
import { startAuthorizationServer, startMcpServer } from '@countersign/test/servers'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** Who is at a browser. The backend's own login made it; here that is a name in the query. */
interface Session {
  readonly user: string
  oauthState?: string | undefined
}

/** What the instances share. */
interface Shared {
  readonly mcpUrl: string
  /** Real backends bring a store that both reach: a table with compare-and-set. */
  readonly store: ReturnType<typeof memoryStore>
  readonly sessions: Map<string, Session>
}

type Answer = { readonly location: string } | { readonly status: number; readonly text: string }

const redirectTo = (location: string): Answer => ({ location })

/** One instance. @param callbackOrigin - where the person comes back to: the backend's public address */
function createBackend({ mcpUrl, store, sessions }: Shared, callbackOrigin: () => string): Server {
  const connector = createConnector({ appId: 'com.example.backend', clientName: 'My backend', store })

  const routes: Readonly<Record<string, (session: Session, url: URL) => Promise<Answer>>> = {
    '/connect': async (session) => {
      const redirectUri = `${callbackOrigin()}/callback`
      // #region begin
      const { authorizationUrl, state } = await connector
        .connect(mcpUrl, { account: session.user })
        .beginAuthorization({ redirectUri, appState: { returnTo: '/notes' } })
      session.oauthState = state
      return redirectTo(authorizationUrl)
      // #endregion
    },
    '/callback': async (session, callbackUrl) => {
      // #region complete
      const { connection, appState } = await connector.completeAuthorization(callbackUrl, {
        account: session.user,
        state: session.oauthState,
      })
      // #endregion
      console.log(`${session.user} is signed in to ${connection.url}`)
      return redirectTo((appState as { readonly returnTo: string }).returnTo)
    },
    '/notes': async (session) => ({
      status: 200,
      text: await whoami(connector.connect(mcpUrl, { account: session.user })),
    }),
  }

  return createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    if (url.pathname === '/enter') {
      const id = randomUUID()
      sessions.set(id, { user: url.searchParams.get('user') ?? 'nobody' })
      response.setHeader('set-cookie', `session=${id}; HttpOnly; SameSite=Lax; Path=/`)
      return send(response, redirectTo('/notes'))
    }
    const session = sessions.get(/session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '')
    const route = routes[url.pathname]
    if (session === undefined || route === undefined) {
      return send(response, { status: 404, text: 'Begin at /enter?user=<name>' })
    }
    send(response, await route(session, url).catch(failed))
  })
}

function send(response: ServerResponse, answer: Answer): void {
  if ('location' in answer) response.writeHead(303, { location: answer.location }).end()
  else response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' }).end(answer.text)
}

/** A person is needed: they are asked where they are. Everything else says what it is. */
function failed(error: unknown): Answer {
  if (!CountersignError.is(error)) {
    console.error(error)
    return { status: 500, text: 'internal error' }
  }
  if (error.code === 'interaction_required') return redirectTo('/connect')
  return { status: error.action === 'sign_in' ? 400 : 502, text: error.message }
}

async function whoami(connection: Connection): Promise<string> {
  const client = new Client({ name: 'my-backend', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(connection.url), { fetch: connection.fetch }))
  const { content } = await client.callTool({ name: 'whoami' })
  await client.close()
  return (content as { text: string }[]).map(({ text }) => text).join('\n')
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const mcp = await startMcpServer({ authorizationServer: await startAuthorizationServer() })
const shared: Shared = { mcpUrl: mcp.url, store: memoryStore(), sessions: new Map() }
const origin: string = await listen(createBackend(shared, () => other))
const other: string = await listen(createBackend(shared, () => other))
console.log(`Open ${origin}/enter?user=alice (any name and any password will do), and come back to ${other}/callback`)
