import type { Fetch } from '@countersign/core'
import { type OAuthClientProvider, StreamableHTTPClientTransport as V2Transport } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ownProvider } from './support/own-provider.js'
import { rounds, type Work } from './support/rounds.js'
import { accessToken, signedIn } from './support/signed-in.js'

// What one authorized request costs when the network costs nothing. Argument: which comparison. Prints nanoseconds of a call,
// turn by turn.

/** `base` is what ours is compared with, `bare` the same request without any authorization. */
type Way = 'ours' | 'base' | 'bare'

const url = new URL('https://mcp.example.com/mcp')
const sessionId = '0c1d4e5a-0f3c-4a5e-9a54-6b0a3d8c2f11'
const protocolVersion = '2025-11-25'
const message = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'hi' } },
} as const

/** Always the same answer, without a body, so that not even making one is measured. */
const answer = new Response(null, { status: 202 })
const stub = async (_input: unknown, _init?: RequestInit): Promise<Response> => answer

/** A transport's `send` of one call: with our `fetch`, with the transport's own way, without authorization. */
async function sends(Transport: typeof V1Transport | typeof V2Transport): Promise<Record<Way, Work>> {
  const { fetch } = await signedIn({ fetch: stub })
  const sendWith = async (options: { fetch: Fetch; authProvider?: OAuthClientProvider }): Promise<Work> => {
    const transport = new Transport(url, { sessionId, ...options })
    transport.setProtocolVersion(protocolVersion)
    await transport.start()
    return () => transport.send(message)
  }
  return {
    ours: await sendWith({ fetch }),
    base: await sendWith({ fetch: stub, authProvider: ownProvider }),
    bare: await sendWith({ fetch: stub }),
  }
}

/** Our `fetch` by itself, against the least that any wrapper does: one `Headers` of the request's own and Authorization. */
async function fetches(): Promise<Record<Way, Work>> {
  const { fetch } = await signedIn({ fetch: stub })
  const authorization = `Bearer ${accessToken}`
  const own = new Headers({
    'content-type': 'application/json',
    'mcp-session-id': sessionId,
    'mcp-protocol-version': protocolVersion,
  })
  const request = (): RequestInit => {
    // As a transport does last. A Headers that nobody touches would be cheaper to read than one that is new.
    own.set('accept', 'application/json, text/event-stream')
    return { method: 'POST', body: '{}', headers: own }
  }
  return {
    ours: () => fetch(url, request()),
    base: () => {
      const init = request()
      const headers = new Headers(init.headers)
      headers.set('authorization', authorization)
      return stub(url, { ...init, headers })
    },
    bare: () => stub(url, request()),
  }
}

const comparisons = { v1: () => sends(V1Transport), v2: () => sends(V2Transport), alone: fetches }
const ways = await comparisons[process.argv[2] as keyof typeof comparisons]()
process.stdout.write(JSON.stringify(await rounds(ways, { warmUp: 200, turns: 500, calls: 100 })))
