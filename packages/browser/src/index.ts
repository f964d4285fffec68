export * from '@countersign/core'
export { type BrowserConnectorOptions, createConnector } from './create-connector.js'
export { type RedirectOptions, redirect } from './redirect.js'
