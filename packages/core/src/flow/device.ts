import type { DeviceGrant } from '../ports/user-agent.js'
import type { PendingDevice } from '../steps/authorize-device.js'
import type { AttemptEvent, AttemptIn } from './attempt.js'
import type { ConnectionCore } from './connection-core.js'
import type { Holding, Login } from './login.js'

/** What is behind a `DeviceGrant`: core knows it by type alone, so that a host without it does not carry it. */
export interface Device extends DeviceGrant {
  /** Its name in a registration (RFC 7591 section 2). */
  readonly grantType: string
  /** @returns undefined when the server no longer knows a client that it had registered */
  prepare(core: ConnectionCore, state: AttemptIn<'preparing'>): Promise<PendingDevice | undefined>
  /** Shows the code, and polls until the person has acted, however that ends. */
  poll(login: Login, holding: Holding, state: AttemptIn<'polling'>): Promise<AttemptEvent>
}
