import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that listens on loopback, and how to end it. */
export interface Listener {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly origin: string
  /** Cuts every connection, idle, streaming or held, so that a test never waits for one. */
  close(): Promise<void>
}

/**
 * Listens on 127.0.0.1 and an ephemeral port.
 *
 * The listener is made after the port is known, because an issuer and a resource carry their port in their name.
 */
export async function listen(listenerFor: (origin: string) => RequestListener): Promise<Listener> {
  const server: Server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closed
  }

  try {
    server.on('request', listenerFor(origin))
  } catch (error) {
    await close()
    throw error
  }
  return { origin, close }
}
