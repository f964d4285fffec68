/**
 * What a host declares to a server of the MCP authorization extensions that it has, in `clientCapabilities.extensions`.
 *
 * @example
 * ```ts
 * new Client(info, { capabilities: { extensions: { ...clientExtensions.clientCredentials } } })
 * ```
 */
export const clientExtensions = {
  clientCredentials: { 'io.modelcontextprotocol/oauth-client-credentials': {} },
  workloadIdentity: { 'io.modelcontextprotocol/auth/wif': {} },
  dpop: { 'io.modelcontextprotocol/auth/dpop': {} },
  enterpriseManaged: { 'io.modelcontextprotocol/enterprise-managed-authorization': {} },
} as const
