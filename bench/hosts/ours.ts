import { CountersignError, createConnector, loopback, memoryStore } from '@countersign/node'
import { type Person, person } from '@countersign/test/servers'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Host } from './host.js'

/** Countersign as a Node host uses it: the README's lines, with a scripted person at the browser. */
export function ourHost(): Host {
  const store = memoryStore()
  const who: Person = person()
  const start = () =>
    createConnector({ appId: 'com.example.bench', clientName: 'bench', store, userAgent: loopback({ open: who.open }) })

  return {
    async connect(url) {
      const connector = start()
      const connection = connector.connect(url)
      const client = new Client({ name: 'bench', version: '1.0.0' })
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: connection.fetch }))
      return {
        call: () => client.listTools(),
        close: async () => {
          await client.close()
          await connector.close()
        },
      }
    },
    async keepsLogin(url) {
      await using connector = start()
      try {
        await connector.connect(url).token({ refresh: true })
        return true
      } catch (error) {
        if (CountersignError.is(error) && error.code === 'interaction_required') return false
        throw error
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
