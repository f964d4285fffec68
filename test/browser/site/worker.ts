import { type Connection, type Connector, CountersignError, createConnector } from '@countersign/browser'

/** What a page may ask of a worker, dedicated or of a service. */
export type Asked = { readonly url: string; readonly ask: 'call' | 'refresh' }

let connector: Connector | undefined
let connection: Connection | undefined

/** The host in a worker: no window, so nobody can be asked here; the logins are those of the pages. */
async function answer({ url, ask }: Asked): Promise<unknown> {
  connector ??= createConnector({ appId: 'com.example.app' })
  if (connection === undefined) {
    connection = connector.connect(url)
    // Who listens hears of what the pages do: a sign-out ends the use of a token that is still good.
    connection.subscribe(() => undefined)
  }
  try {
    if (ask === 'refresh') return await connection.token({ refresh: true }).then(() => 'refreshed')
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const response = await connection.fetch(url, { method: 'POST', headers, body })
    // A ping without a session is no request that the server takes; its token was good, or this would be a 401.
    return response.status
  } catch (error) {
    return CountersignError.is(error) ? error.code : String(error)
  }
}

addEventListener('message', (event) => {
  const { data, ports } = event as MessageEvent<Asked>
  void answer(data).then((said) => ports[0]?.postMessage(said))
})
