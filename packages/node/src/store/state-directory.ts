import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where this user's locks and defaults are, on this machine. It follows from the home directory alone: a scheduled job,
 * which has few environment variables, must come to the same place as the person's session.
 */
export function stateDirectory(): string {
  const home = homedir()
  if (process.platform === 'win32') return join(home, 'AppData', 'Local', 'countersign')
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'countersign')
  return join(home, '.local', 'state', 'countersign')
}
