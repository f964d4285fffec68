import { existsSync } from 'node:fs'
import { release } from 'node:os'

/** What a process can see of where it runs. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly env: NodeJS.ProcessEnv
  /** Whether this is Linux inside Windows. */
  readonly wsl: boolean
  readonly container: boolean
  /** Whether somebody reads what is printed, and whether they can type. */
  readonly terminal: { readonly reads: boolean; readonly types: boolean }
}

/** Where this process runs, looked at now. */
export const surroundings = (): Surroundings => ({
  platform: process.platform,
  env: process.env,
  wsl: release().toLowerCase().includes('microsoft'),
  container: ['/.dockerenv', '/run/.containerenv'].some((file) => existsSync(file)),
  terminal: { reads: process.stderr.isTTY === true, types: process.stdin.isTTY === true },
})

/**
 * Why no page can be opened here that a person would see, in a few words; undefined where one can.
 *
 * `BROWSER` says how to open one whatever else is true: editors that reach this machine over SSH or in a container set it to a
 * program that opens the page where the person is.
 */
export function noBrowser({ platform, env, wsl, container }: Surroundings): string | undefined {
  const has = (name: string): boolean => (env[name] ?? '') !== ''
  if (has('BROWSER')) return undefined
  if (has('CI') && env.CI !== 'false') return 'CI'
  if (has('SSH_CONNECTION') || has('SSH_TTY') || has('SSH_CLIENT')) return 'an SSH session'
  if (platform === 'win32' || platform === 'darwin' || platform === 'android') return undefined
  if (has('DISPLAY') || has('WAYLAND_DISPLAY')) return undefined
  if (container || has('KUBERNETES_SERVICE_HOST')) return 'a container without a display'
  // Linux inside Windows opens the browser of Windows.
  return wsl ? undefined : 'a machine without a display'
}

/** Whether nobody is there to be asked: what is printed is read by nobody before it is too late. */
export const isUnattended = ({ env, terminal }: Surroundings): boolean =>
  !terminal.reads || ((env.CI ?? '') !== '' && env.CI !== 'false')
