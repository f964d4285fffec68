import { afterEach, describe, expect, it } from 'vitest'
import { portRow } from '../../../packages/node/src/loopback/port-row.js'
import { loopback } from '../../../packages/node/src/loopback/user-agent.js'
import { freePort } from '../support.js'
import { begin, endAll, isFree, redirectOf, SERVER } from './login.js'

afterEach(endAll)

describe('the redirect URI', () => {
  it('is the same for the next login, with the rest of the row beside it', async () => {
    const ports = [await freePort(), await freePort(), await freePort()]
    for (let login = 0; login < 2; login++) {
      const presentation = begin({ ports })
      expect(await presentation.way(SERVER)).toEqual({
        kind: 'redirect',
        redirectUri: `http://127.0.0.1:${ports[0]}/callback`,
        alternatives: [`http://127.0.0.1:${ports[1]}/callback`, `http://127.0.0.1:${ports[2]}/callback`],
      })
      await presentation.end({ ok: true })
    }
  })

  it('takes the next of the row for a second login, and none stands beside one that is not of the row', async () => {
    const ports = [await freePort(), await freePort()]
    const [first, second, third] = [begin({ ports }), begin({ ports }), begin({ ports })]
    expect((await redirectOf(first)).port).toBe(String(ports[0]))
    expect((await redirectOf(second)).port).toBe(String(ports[1]))
    const way = await third.way(SERVER)
    expect(way).not.toHaveProperty('alternatives')
    expect(ports.map((port) => `http://127.0.0.1:${port}/callback`)).not.toContain(
      (way as { redirectUri: string }).redirectUri,
    )
  })

  it("is of the install's own row unless the host names ports", async () => {
    const row = portRow().map((port) => `http://127.0.0.1:${port}/callback`)
    const way = (await begin().way(SERVER)) as { redirectUri: string; alternatives?: readonly string[] }
    // All four could be taken on this machine, by chance.
    if (row.includes(way.redirectUri)) expect([way.redirectUri, ...way.alternatives!].sort()).toEqual([...row].sort())
  })

  it('is a registered one where that is free', async () => {
    const registered = await freePort()
    const server = { ...SERVER, registeredRedirectUris: [`http://127.0.0.1:${registered}/callback`] }
    expect((await redirectOf(begin(), server)).port).toBe(String(registered))
  })

  it.each(['localhost', '[::1]'])('has the host that the server needs: %s', async (redirectHost) => {
    expect((await redirectOf(begin(), { ...SERVER, redirectHost })).hostname).toBe(redirectHost)
  })

  it('has the port that the server needs, or the login fails and says who has it', async () => {
    const redirectPort = await freePort()
    const one = begin()
    expect((await redirectOf(one, { ...SERVER, redirectPort })).port).toBe(String(redirectPort))
    await expect(begin().way({ ...SERVER, redirectPort })).rejects.toMatchObject({
      code: 'user_agent_unsuitable',
      expected: expect.stringContaining(String(redirectPort)),
      received: expect.stringContaining('EADDRINUSE'),
      hint: expect.stringContaining(`lsof -i :${redirectPort}`),
    })
  })

  it('may be chosen again, and the listener before it is closed', async () => {
    const [a, b] = [await freePort(), await freePort()]
    const presentation = begin()
    expect((await redirectOf(presentation, { ...SERVER, redirectPort: a })).port).toBe(String(a))
    expect((await redirectOf(presentation, { ...SERVER, redirectPort: b })).port).toBe(String(b))
    expect(await isFree(a)).toBe(true)
  })

  it('is refused with ports that are none', () => {
    expect(() => loopback({ ports: [0] })).toThrow(expect.objectContaining({ code: 'options_invalid' }))
  })
})
