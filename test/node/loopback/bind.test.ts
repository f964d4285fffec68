import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Listener, type ListenOptions, listen } from '../../../packages/node/src/loopback/listener.js'
import { ask, freePort, hasIpv6, occupy, pause } from '../support.js'

const ipv6 = await hasIpv6()
const open: Array<{ close(): Promise<void> }> = []

async function start(options: Partial<ListenOptions> = {}): Promise<Listener> {
  const listener = await listen({ ports: [], host: '127.0.0.1', path: '/callback', state: 'right', ...options })
  open.push(listener)
  return listener
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

describe('the port', () => {
  it.skipIf(!ipv6).each(['127.0.0.1', 'localhost', '[::1]'] as const)(
    'is the same on both stacks, whatever %s resolves to',
    { tags: ['rfc8252/both-stacks', 'rfc8252/port-open-briefly'] },
    async (host) => {
      for (const address of ['127.0.0.1', '::1']) {
        const listener = await start({ host })
        const headers = { host: `${host}:${listener.port}` }
        expect(listener.redirectUri).toBe(`http://${host}:${listener.port}/callback`)
        const page = ask({ port: listener.port, address, headers, path: '/callback?code=c&state=right' })
        expect((await listener.response).get('code')).toBe('c')
        await listener.finish(200, address)
        expect((await page).body).toBe(address)
      }
    },
  )

  it('is the first that is free', async () => {
    const [taken, free] = [await occupy('127.0.0.1'), await freePort()]
    expect((await start({ ports: [taken.port, free] })).port).toBe(free)
    await taken.release()
  })

  it.skipIf(!ipv6)('is not one that another program has on the other stack', { tags: 'rfc8252/own-port' }, async () => {
    const taken = await occupy('::1')
    const free = await freePort()
    expect((await start({ ports: [taken.port, free] })).port).toBe(free)
    // and what was bound on the first stack is free again
    await (await occupy('127.0.0.1', taken.port)).release()
    await taken.release()
  })

  it('is any, when all are taken', async () => {
    const taken = await occupy('127.0.0.1')
    const listener = await start({ ports: [taken.port] })
    expect(listener.port).not.toBe(taken.port)
    expect(listener.port).toBeGreaterThan(0)
    await taken.release()
  })

  it('must be free where only one will do', async () => {
    const taken = await occupy('127.0.0.1')
    const failing = start({ ports: [taken.port], ephemeral: false, hint: 'Close it.' })
    await expect(failing).rejects.toMatchObject({
      code: 'user_agent_unsuitable',
      step: 'present',
      expected: `to listen on 127.0.0.1, on port ${taken.port}`,
      received: `EADDRINUSE on ${taken.port}`,
      hint: 'Close it.',
    })
    await taken.release()
  })

  it('goes to different listeners when many start at once', { tags: 'rfc8252/own-port' }, async () => {
    const port = await freePort()
    const listeners = await Promise.all(Array.from({ length: 8 }, () => start({ ports: [port] })))
    expect(new Set(listeners.map((one) => one.port)).size).toBe(8)
  })
})

describe('closing', () => {
  /** A connection that sends `text` and then nothing; `gone` when the other side has ended it. */
  const idle = (port: number, text: string): Promise<{ readonly gone: Promise<unknown> }> =>
    new Promise((resolve) => {
      const socket: Socket = connect(port, '127.0.0.1', () => {
        socket.write(text)
        resolve({ gone: new Promise((done) => socket.once('close', done)) })
      })
      socket.on('error', () => undefined).resume()
    })

  it('drops idle, half-sent and held connections at once, and frees the port', async () => {
    const listener = await start()
    const held = ask({ port: listener.port, path: '/callback?code=c&state=right' }).catch((error: Error) => error)
    await listener.response
    const sockets = [
      await idle(listener.port, ''),
      await idle(listener.port, 'GET /callback?st'),
      await idle(listener.port, `GET / HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\nConnection: keep-alive\r\n\r\n`),
    ]
    await pause(20)
    const began = performance.now()
    await listener.close()
    await Promise.all(sockets.map((socket) => socket.gone))
    expect(await held).toBeInstanceOf(Error)
    expect(performance.now() - began).toBeLessThan(500)
    await (await occupy('127.0.0.1', listener.port)).release()
    if (ipv6) await (await occupy('::1', listener.port)).release()
  })

  it('may be done twice, and together', async () => {
    const listener = await start()
    await Promise.all([listener.close(), listener.close()])
    await listener.close()
    await listener.finish(200, 'nothing')
  })
})
