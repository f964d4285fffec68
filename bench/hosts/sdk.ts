import { type Person, person, plainClient } from '@countersign/test/servers'
import {
  Client as V2Client,
  StreamableHTTPClientTransport as V2Transport,
  UnauthorizedError as V2Unauthorized,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as V1Unauthorized } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Host, Session } from './host.js'
import { memoryProvider, type ProviderStore } from './memory-provider.js'

type Provider = ReturnType<typeof memoryProvider>

/** An attempt to connect: a session, or how to go on once the person is back with this authorization response. */
type Connect = (url: URL, provider: Provider) => Promise<Session | ((response: URLSearchParams) => Promise<void>)>

const about = { name: 'bench', version: '1.0.0' }

const connectV1: Connect = async (url, authProvider) => {
  const transport = new V1Transport(url, { authProvider })
  const client = new V1Client(about)
  try {
    await client.connect(transport)
    return { call: () => client.listTools(), close: () => client.close() }
  } catch (error) {
    if (!(error instanceof V1Unauthorized)) throw error
    return (response) => transport.finishAuth(response.get('code') ?? '')
  }
}

const connectV2: Connect = async (url, authProvider) => {
  const transport = new V2Transport(url, { authProvider })
  const client = new V2Client(about)
  try {
    await client.connect(transport)
    return { call: () => client.listTools(), close: () => client.close() }
  } catch (error) {
    if (!(error instanceof V2Unauthorized)) throw error
    return (response) => transport.finishAuth(response)
  }
}

/** A host that uses an SDK's own auth, with a provider over memory. */
export function sdkHost(version: 'sdk-v1' | 'sdk-v2', { cacheDiscovery }: { cacheDiscovery: boolean }): Host {
  const store: ProviderStore = { tokens: new Map(), clients: new Map(), discovery: new Map() }
  const who: Person = person()
  const connect = version === 'sdk-v1' ? connectV1 : connectV2

  return {
    async connect(url) {
      let page: URL | undefined
      const provider = memoryProvider(store, url, {
        cacheDiscovery,
        show: (shown) => {
          page = shown
        },
      })
      const first = await connect(new URL(url), provider)
      if (typeof first !== 'function') return first
      if (page === undefined) throw new Error('the SDK wants a login and shows no page')
      await first(new URL(await who.authorizationResponse(page.href)).searchParams)
      const second = await connect(new URL(url), provider)
      if (typeof second !== 'function') return second
      throw new Error('the SDK wants another login right after one')
    },
    async keepsLogin(url) {
      const refreshToken = store.tokens.get(url)?.refresh_token
      const client = [...store.clients][0]
      if (refreshToken === undefined || client === undefined) return false
      const [, { client_id, issuer }] = client
      if (issuer === undefined) throw new Error('the SDK has not stored whose client this is')
      const looker = await plainClient(issuer.replace(/\/$/, ''), { clientId: client_id, resource: url })
      return (await looker.refresh(refreshToken)).status === 200
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
