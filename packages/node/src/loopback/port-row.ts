import { createHash } from 'node:crypto'
import { homedir, hostname, userInfo } from 'node:os'

const FIRST = 49_152
const COUNT = 65_536 - FIRST
const ROW = 4

/** Who this install belongs to. */
export interface PortSeed {
  readonly home: string
  readonly user: string
  readonly host: string
}

/**
 * The install's row of ports: four different ones of the dynamic range (49152 to 65535), always the same for one person
 * on one machine. A login listens on the first that is free, and all four are registered together, so that one
 * registration serves every later login, also at servers that compare the port of a loopback redirect URI exactly.
 *
 * @param seed - default: the home directory, user and host of this process
 * @see RFC 8252 section 7.3, which such servers do not follow
 */
export function portRow(seed: PortSeed = installSeed()): readonly number[] {
  const ports = new Set<number>()
  for (let block = 0; ports.size < ROW; block++) {
    const digest = createHash('sha256')
      .update(JSON.stringify([seed.home, seed.user, seed.host, block]))
      .digest()
    // Scattered, not adjacent: Windows reserves the dynamic range in blocks of a hundred ports.
    for (let at = 0; at < digest.length && ports.size < ROW; at += 2)
      ports.add(FIRST + (digest.readUInt16BE(at) % COUNT))
  }
  return [...ports]
}

function installSeed(): PortSeed {
  // Only the first label: the rest of a laptop's host name follows the network that it is in.
  const host = hostname().split('.')[0] ?? ''
  return { home: orEmpty(homedir), user: orEmpty(() => userInfo().username), host }
}

/** A container may run under a user id that has no entry in the user database, and then both of these throw. */
function orEmpty(read: () => string): string {
  try {
    return read()
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
