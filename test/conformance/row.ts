import {
  type Credentials,
  clientCredentials,
  enterpriseManaged,
  type RegisteredClient,
  trustDiscovered,
  workloadIdentity,
} from '@countersign/node'

/** One row of the suite, as its runner describes it to the client. */
export interface Row {
  readonly url: string
  /** The protocol revision that the server of this row speaks. */
  readonly version: string
  /** A client that the authorization server knows already. */
  readonly registered: RegisteredClient | undefined
  /** What stands in for a person. */
  readonly credentials: Credentials | undefined
}

/** The runner appends the server's URL to the command and puts the rest into the environment. */
export function readRow(argv: readonly string[], env: NodeJS.ProcessEnv): Row {
  const url = argv.at(-1)
  if (url === undefined || !URL.canParse(url)) throw new TypeError('usage: client.ts <server url>')
  const context = textsOf(JSON.parse(env.MCP_CONFORMANCE_CONTEXT ?? '{}'))
  const registered = registeredClient(context)
  return {
    url,
    version: env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25',
    registered,
    credentials: registered === undefined ? credentialsOf(context) : undefined,
  }
}

/** What a row provides, by the suite's own names: texts, each of which may be absent. */
type Context = Readonly<Partial<Record<string, string>>>

const textsOf = (context: object): Context =>
  Object.fromEntries(Object.entries(context).filter(([, value]) => typeof value === 'string'))

/** A client whose issuer is named is one that was registered for a person's logins. */
function registeredClient({
  issuer,
  client_id: clientId,
  client_secret: clientSecret,
}: Context): RegisteredClient | undefined {
  if (issuer === undefined || clientId === undefined) return undefined
  return { issuer, clientId, ...(clientSecret !== undefined && { clientSecret }) }
}

/** Without an issuer there is no person: what is provided says which way it is for. The suite names none of their issuers. */
function credentialsOf(context: Context): Credentials | undefined {
  const {
    client_id: clientId,
    client_secret: clientSecret,
    private_key_pem: privateKey,
    valid_jwt: assertion,
  } = context
  const { idp_issuer, idp_client_id, idp_id_token: idToken, idp_token_endpoint: tokenEndpoint } = context
  const issuer: RegisteredClient['issuer'] = trustDiscovered
  if (assertion !== undefined) return workloadIdentity({ issuer, assertion })
  if (clientId === undefined) return undefined
  if (privateKey !== undefined) {
    return clientCredentials({ issuer, clientId, privateKey, signingAlgorithm: context.signing_algorithm })
  }
  if (clientSecret === undefined) return undefined
  const client: RegisteredClient & { readonly clientSecret: string } = { issuer, clientId, clientSecret }
  if (idp_issuer === undefined || idp_client_id === undefined || idToken === undefined) return clientCredentials(client)
  const provider = {
    issuer: idp_issuer,
    clientId: idp_client_id,
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
  }
  return enterpriseManaged({ ...client, identityProvider: provider, idToken })
}
