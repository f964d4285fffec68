export * from '@countersign/core'
export { createConnector, type NodeConnectorOptions } from './create-connector.js'
export { type LoopbackOptions, loopback } from './loopback/user-agent.js'
export { nodePresence } from './presence.js'
