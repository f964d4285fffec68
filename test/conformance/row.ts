import type { RegisteredClient } from '@countersign/node'

/** One row of the suite, as its runner describes it to the client. */
export interface Row {
  readonly url: string
  /** The protocol revision that the server of this row speaks. */
  readonly version: string
  /** A client that the authorization server knows already. */
  readonly registered: RegisteredClient | undefined
}

/** The runner appends the server's URL to the command and puts the rest into the environment. */
export function readRow(argv: readonly string[], env: NodeJS.ProcessEnv): Row {
  const url = argv.at(-1)
  if (url === undefined || !URL.canParse(url)) throw new TypeError('usage: client.ts <server url>')
  return {
    url,
    version: env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25',
    registered: registeredClient(JSON.parse(env.MCP_CONFORMANCE_CONTEXT ?? '{}')),
  }
}

/** Only `auth/pre-registration` names an issuer beside a client: a secret without one belongs to nobody that we know. */
function registeredClient(context: Readonly<Record<string, unknown>>): RegisteredClient | undefined {
  const { issuer, client_id, client_secret } = context
  if (typeof issuer !== 'string' || typeof client_id !== 'string') return undefined
  return { issuer, clientId: client_id, ...(typeof client_secret === 'string' && { clientSecret: client_secret }) }
}
