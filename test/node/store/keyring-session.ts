import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@countersign/node'
import type { Call } from '../fixtures/store-server.js'
import { bundle } from './support.js'

const found = (command: string): boolean => spawnSync('which', [command]).status === 0

/** Whether Debian's packages are there: tools/ci-debian.sh installs them. */
export const hasKeyring: boolean = ['gnome-keyring-daemon', 'dbus-run-session', 'dbus-send'].every(found)

/** Where keytar is, if it could be built, which needs libsecret-1-dev. */
export const keytar: string | undefined = (() => {
  const require = createRequire(import.meta.url)
  try {
    require('keytar')
    return require.resolve('keytar')
  } catch {
    return undefined
  }
})()
export const hasKeytar: boolean = keytar !== undefined

export type Implementation = 'native' | 'keytar'

export interface KeyringSession extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv
  /** A process of its own, and in it a store for each service. */
  start(implementation: Implementation): StoreProcess
  lock(): void
}

export type StoreProcess = (service: string) => Store

/** How the keyring starts: open, or as in a session where nobody has typed the password. */
type Start = 'unlocked' | 'locked'

/** A D-Bus session with a real gnome-keyring in a home of its own. */
export async function keyringSession(start: Start = 'unlocked'): Promise<KeyringSession> {
  const home = await mkdtemp(join(tmpdir(), 'countersign-keyring-'))
  const homes = { HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, XDG_RUNTIME_DIR: home }
  const daemon =
    start === 'unlocked'
      ? 'printf pw | gnome-keyring-daemon --unlock --components=secrets'
      : 'gnome-keyring-daemon --start --components=secrets </dev/null'
  const script = `${daemon} >/dev/null 2>&1; echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat`
  const session = spawn('dbus-run-session', ['--', 'sh', '-c', script], {
    env: { ...process.env, ...homes },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const [address] = await once(session.stdout, 'data')
  const env = { PATH: process.env.PATH, ...homes, DBUS_SESSION_BUS_ADDRESS: String(address).trim() }
  const children: ChildProcess[] = []
  return {
    env,
    start: (implementation) => {
      const args = implementation === 'keytar' && keytar ? [keytar] : []
      const child = spawn(process.execPath, [bundle('store-server'), ...args], {
        env,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        serialization: 'advanced',
      })
      children.push(child)
      return proxy(child)
    },
    lock: () => {
      const [service, collection] = ['org.freedesktop.secrets', '/org/freedesktop/secrets/collection/login']
      const method = 'org.freedesktop.Secret.Service.Lock'
      const args = ['--session', '--print-reply', `--dest=${service}`, '/org/freedesktop/secrets', method]
      const { status } = spawnSync('dbus-send', [...args, `array:objpath:${collection}`], { env })
      if (status !== 0) throw new Error('the keyring did not lock')
    },
    [Symbol.asyncDispose]: async () => {
      const ended = [session, ...children].map((child) => child.exitCode ?? once(child, 'exit'))
      for (const child of children) child.disconnect()
      session.stdin.end()
      await Promise.all(ended)
      await rm(home, { recursive: true, force: true })
    },
  }
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly message: string }
}

function proxy(child: ChildProcess): StoreProcess {
  const waiting = new Map<number, (answer: Answer) => void>()
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer))
  let last = 0
  const call = async (service: string, method: Call['method'], args: readonly unknown[]): Promise<never> => {
    const id = ++last
    const { value, error } = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve)
      child.send({ id, service, method, args })
    })
    waiting.delete(id)
    if (error) throw Object.assign(new Error(error.message), error)
    return value as never
  }
  return (service) => ({
    name: `keychain of process ${child.pid}`,
    get: (...args) => call(service, 'get', args),
    replace: (...args) => call(service, 'replace', args),
    keys: (...args) => call(service, 'keys', args),
  })
}
