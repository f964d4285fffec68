import { CountersignError, type ServerWays } from '@countersign/core'
import { isLoopbackHost, type LoopbackHost, type LoopbackRedirect, parseRedirectUri } from './redirect-uri.js'

const PATH = '/callback'

/** Where a login may listen. */
export interface Candidates {
  readonly host: LoopbackHost
  readonly path: string
  /** Tried in this order. */
  readonly ports: readonly number[]
  /** Whether any free port will do when none of these is. */
  readonly ephemeral: boolean
  /** What to do when no port can be bound. */
  readonly hint: string
  /** Known already when a login is taken over. */
  readonly state?: string
}

/**
 * Which ports a login may listen on, best first: the one of a page that is already open, the one that the server's
 * exception fixes, those that are registered, those of the row.
 *
 * @param row - the install's row of ports, or the host's own
 * @returns `undefined` when a loopback listener cannot serve that server, or cannot take over that login
 * @throws CountersignError `options_invalid` when `redirectHost` or `redirectPort` is not usable
 */
export function candidatesFor(server: ServerWays, row: readonly number[]): Candidates | undefined {
  if (!server.redirect) return undefined
  if (server.resume !== undefined) {
    const open = parseRedirectUri(server.resume.redirectUri)
    // The person's page will come back to this port and no other.
    const hint = `The page that is open comes back to port ${open?.port}. ${whoHas(open?.port)}, or start a new login.`
    return open && { ...only(open), hint, state: server.resume.state }
  }
  const host = server.redirectHost ?? '127.0.0.1'
  if (!isLoopbackHost(host)) throw invalid('redirectHost', "'localhost', '127.0.0.1' or '[::1]'", host)
  if (server.redirectPort !== undefined) {
    const port = checkPort('redirectPort', server.redirectPort)
    const hint = `compatibility.redirectPort asks for port ${port}. ${whoHas(port)}, or register and name another.`
    return { ...only({ host, port, path: PATH }), hint }
  }
  const registered = (server.registeredRedirectUris ?? []).flatMap((uri) => {
    const parsed = parseRedirectUri(uri)
    return parsed?.host === host && parsed.path === PATH ? [parsed.port] : []
  })
  const hint = 'Allow this process to listen on loopback, or configure a user agent that needs no listener.'
  return { host, path: PATH, ports: [...new Set([...registered, ...row])], ephemeral: true, hint }
}

const only = ({ host, port, path }: LoopbackRedirect): Omit<Candidates, 'hint'> => ({
  host,
  path,
  ports: [port],
  ephemeral: false,
})

const whoHas = (port: number | undefined): string =>
  `Close the program that listens there (lsof -i :${port}, or netstat -ano on Windows)`

/**
 * `port`, if it can be listened on.
 *
 * @throws CountersignError `options_invalid`, naming `option`
 */
export function checkPort(option: string, port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw invalid(option, 'a whole number from 1 to 65535', String(port))
}

const invalid = (option: string, expected: string, received: string): CountersignError =>
  new CountersignError('options_invalid', {
    step: 'present',
    expected: `${option} to be ${expected}`,
    received,
    hint: `Correct ${option}.`,
  })
