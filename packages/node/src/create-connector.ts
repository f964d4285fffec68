import {
  type Connector,
  type ConnectorOptions,
  createConnector as createCoreConnector,
  memoryStore,
} from '@countersign/core'
import { loopback } from './loopback/user-agent.js'
import { nodePresence } from './presence.js'

/** A connector in Node: as core's, but `appId` is required. */
export interface NodeConnectorOptions extends ConnectorOptions {
  /** Prefixes every key in the store, so that two applications can share one: `com.example.agent`, say. */
  readonly appId: string
}

/**
 * Creates a connector with Node's defaults: `loopback()` as the user agent, so that a browser opens and its answer comes to a
 * port of this machine (RFC 8252), and records in this process's memory.
 *
 * @throws CountersignError `options_invalid`
 */
export function createConnector(options: NodeConnectorOptions): Connector {
  return createCoreConnector({
    ...options,
    store: options.store ?? memoryStore(),
    userAgent: options.userAgent ?? loopback(),
    presence: options.presence ?? nodePresence(),
  })
}
