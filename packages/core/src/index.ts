export type { AcquireContext, Acquisition, Elsewhere, GrantParameters } from './credentials/acquisition.js'
export type { ConfidentialClient } from './credentials/client-credentials.js'
export type { EnterpriseManagedOptions, IdentityAssertion, IdentityProvider } from './credentials/enterprise-managed.js'
export { type PrivateKeyClient, privateKeyJwt } from './credentials/private-key-jwt.js'
export {
  type AssertionNeed,
  type RegisteredClient,
  type Secret,
  trustDiscovered,
} from './credentials/registered-client.js'
export type { KeyOptions } from './credentials/signing-key.js'
export type { HeaderRecord } from './credentials/static.js'
export type { AssertionSupplier, WorkloadIdentityOptions } from './credentials/workload-identity.js'
export type { Action, ErrorCode } from './errors/codes.js'
export { CountersignError, type ErrorRecord, type InteractionNeed, type OAuthErrorBody } from './errors/error.js'
export type { Connection } from './flow/connection.js'
export { type Completed, type Connector, createConnector, type Expected } from './flow/connector.js'
export type { Credentials } from './flow/credentials.js'
export { deviceGrant } from './flow/device-grant.js'
export { type Dpop, type DpopOptions, dpop } from './flow/dpop.js'
export type { Explanation, GrantExplanation } from './flow/explain.js'
export type {
  ClientNeed,
  ClientOptions,
  Compatibility,
  ConnectorOptions,
  ServerOptions,
  StepUp,
} from './flow/options.js'
export type { Snapshot } from './flow/snapshot.js'
export type { StoredConnection } from './flow/stored-connections.js'
export { type ExchangedToken, type ExchangeOptions, type TokenExchange, tokenExchange } from './flow/token-exchange.js'
export {
  clientCredentials,
  customCredentials,
  enterpriseManaged,
  staticHeaders,
  staticToken,
  workloadIdentity,
} from './flow/unattended.js'
export { clientExtensions } from './messages/client-extensions.js'
export {
  type ClientMetadataDocumentInput,
  checkClientMetadataDocument,
  clientMetadataDocument,
  type DocumentProblem,
} from './messages/client-metadata-document.js'
export type { TokenResponse } from './messages/token-response.js'
export type { Audit, AuditEntry } from './ports/audit.js'
export type { Clock } from './ports/clock.js'
export type { Fetch } from './ports/fetch.js'
export type { Json } from './ports/json.js'
export type { Keys } from './ports/keys.js'
export type { Diagnostic, DiagnosticCode, Log, LogEvent, LogEventType, TraceEntry } from './ports/log.js'
export type { Presence } from './ports/presence.js'
export type { Random } from './ports/random.js'
export type { Store } from './ports/store.js'
export type { DeviceGrant, Page, Presentation, ServerWays, UserAgent, Way } from './ports/user-agent.js'
export { keyPairAlgorithm } from './primitives/key-pair-algorithm.js'
export { encrypted } from './stores/encrypted.js'
export { type KeyValue, type KeyValueOptions, keyValueStore } from './stores/key-value.js'
export { memoryStore } from './stores/memory.js'
export { memoryKeys } from './stores/memory-keys.js'
export type { EncryptionKey } from './stores/sealing.js'
