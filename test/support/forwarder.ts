import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ROOT } from './run-script.js'

/** examples/forwarder.ts as its own process. */
export interface Forwarder extends AsyncDisposable {
  readonly port: number
}

/**
 * @param allow - its list
 * @param addresses - those that are not public and may be connected to, separated by spaces
 */
export async function startForwarder(allow: readonly string[], addresses: string): Promise<Forwarder> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/forwarder.ts', '0', ...allow], {
    cwd: ROOT,
    env: { ...process.env, ALLOW_ADDRESSES: addresses, TIMEOUT_MS: '1000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the forwarder ended with ${code}`)
  })
  const [said] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])
  return {
    port: Number(/port: (\d+)/.exec(String(said))?.[1]),
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
