// What both pages have in common: the connector, and one tool call. Everything else is theirs.

import { type Connection, type Connector, createConnector, popup, type Snapshot } from '@countersign/browser'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** An MCP server as the page lists it. */
export interface Listed {
  readonly name: string
  readonly url: string
}

/** @param origin - of the page, which a server that renders it has to be told */
export function connectorAt(origin: string): Connector {
  // #region connector
  const connector = createConnector({
    appId: 'com.example.app',
    clientName: 'Example app',
    userAgent: popup({ redirectUri: `${origin}/callback` }),
  })
  // #endregion
  return connector
}

export const labels: Readonly<Record<Snapshot['status'], string>> = {
  restoring: 'Looking for a login',
  signed_out: 'Signed out',
  signing_in: 'Waiting for you',
  signed_in: 'Signed in',
  consent_needed: 'Sign-in needed',
  failed: 'Sign-in failed',
}

/** Any MCP client that takes a `fetch`. */
async function withClient<T>(connection: Connection, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ name: 'example-app', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(connection.url), { fetch: connection.fetch }))
  return work(client).finally(() => client.close())
}

/** A tool, with the names of the texts that it takes. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly fields: readonly string[]
}

export const listTools = (connection: Connection): Promise<readonly Tool[]> =>
  withClient(connection, async (client) =>
    (await client.listTools()).tools.map(({ name, description = '', inputSchema }) => ({
      name,
      description,
      fields: Object.keys(inputSchema.properties ?? {}),
    })),
  )

export const callTool = (connection: Connection, name: string, form: FormData): Promise<string> =>
  withClient(connection, async (client) => {
    const { content } = await client.callTool({ name, arguments: Object.fromEntries(form) })
    return content.map((part) => (part.type === 'text' ? part.text : `(${part.type})`)).join('\n')
  })

/** Every error of Countersign says in its message what failed, where, and what helps. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
