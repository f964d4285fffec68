/** The real servers and the scripted person that the demo and the tests run against. */
export type { Answer } from './answer.js'
export {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type AuthorizationServerRequest,
  startAuthorizationServer,
} from './authorization-server.js'
export type { ChallengeStyle } from './challenge.js'
export { type ChaosProxy, type Exchange, type Fault, startChaosProxy } from './chaos-proxy.js'
export { type Commit, preciseNow } from './commits.js'
export { graceTokenEndpoint } from './grace.js'
export { type McpServerOptions, type McpServerRequest, type McpServerUnderTest, startMcpServer } from './mcp-server.js'
export { type FinalPage, type Person, person } from './person.js'
export { type PlainAnswer, type PlainClient, plainClient } from './plain-client.js'
export {
  type ScriptableHandler,
  type ScriptableRequest,
  type ScriptableServer,
  startScriptableServer,
} from './scriptable.js'
export {
  type ScriptedAuthorization,
  type ScriptedOverride,
  type ScriptedRoute,
  scriptedAuthorization,
} from './scripted-authorization.js'
export { type SelfSignedServer, startSelfSignedServer } from './self-signed.js'
export type { TokenEndpointControl, TokenInterception, TokenRequest } from './token-endpoint.js'
