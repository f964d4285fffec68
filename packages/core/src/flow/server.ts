import { createHttp } from '../http/http.js'
import type { Client } from '../messages/client-information.js'
import type { StepContext } from '../steps/context.js'
import type { ClientOptions, RegisteredClient, Secret, ServerOptions } from './options.js'
import { trustDiscovered } from './options.js'
import type { Runtime } from './runtime.js'

/** One MCP server as the steps see it. */
export interface Server {
  readonly runtime: Runtime
  readonly url: string
  readonly account: string | undefined
  readonly options: ServerOptions
  readonly context: StepContext
}

/** Built when a step is about to run, and not before: an idle connection holds none of it. */
export function createServer(
  runtime: Runtime,
  url: string,
  account: string | undefined,
  options: ServerOptions,
): Server {
  const { clock, random, oauthFetch, requestTimeoutMs } = runtime
  const whose = { url, ...(account !== undefined && { account }) }
  const context: StepContext = {
    clock,
    random,
    strict: runtime.options.strict ?? false,
    diagnose: (diagnostic) => runtime.emit({ ...whose, type: 'diagnostic', level: 'warn', diagnostic }),
    http: createHttp({
      fetch: oauthFetch,
      clock,
      timeoutMs: requestTimeoutMs,
      serverUrl: url,
      allowPrivate: options.allowPrivate,
      trace: (exchange) => runtime.emit({ ...whose, type: 'exchange', level: 'debug', exchange }),
    }),
  }
  return { runtime, url, account, options, context }
}

/** The client that was registered by hand for this issuer, if there is one. */
export function registeredFor(options: ClientOptions | undefined, issuer: string): RegisteredClient | undefined {
  const { registered } = options ?? {}
  const all: readonly RegisteredClient[] =
    registered === undefined ? [] : 'clientId' in registered ? [registered] : registered
  return all.find((client) => client.issuer === issuer) ?? all.find((client) => client.issuer === trustDiscovered)
}

/** The client with its secret: that of a client registered by hand stays with the host and is never in a record. */
export async function withSecret(server: Server, issuer: string, client: Client): Promise<Client> {
  if (client.origin !== 'registered') return client
  const secret = registeredFor(server.options.client, issuer)?.clientSecret
  return secret === undefined ? client : { ...client, client_secret: await reveal(secret) }
}

export const reveal = async (secret: Secret): Promise<string> => (typeof secret === 'string' ? secret : secret())
