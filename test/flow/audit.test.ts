import { type AuditEntry, type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization

beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

function host(options: ConnectorOptions = {}) {
  const told: AuditEntry[] = []
  const audit = (entry: AuditEntry): void => {
    told.push(entry)
  }
  const clock = shiftedClock()
  const store = memoryStore(() => clock.now())
  const connector = open(createConnector({ store, clock, audit, userAgent: scriptedAgent(), ...options }))
  return { told, clock, connector, connection: connector.connect(`${server.url}?key=s3cret`) }
}

describe('a host that asks for an audit is told each authorized request', () => {
  it('once: when, where, how, who had issued the token, for which client, and what came', async () => {
    const { connection, told } = host()
    await connection.authorize()
    expect(told).toEqual([])
    for (let n = 0; n < 3; n++) await ping(connection)
    expect(told).toHaveLength(3)
    expect(told[0]).toEqual({
      at: expect.any(Number),
      url: server.url,
      method: 'POST',
      status: 200,
      issuer: server.issuer,
      clientId: (await connection.explain()).grant?.clientId,
    })
  })

  it('with its account', async () => {
    const { connector, told } = host()
    const alice = connector.connect(server.url, { account: 'alice' })
    await alice.authorize()
    await ping(alice)
    expect(told).toMatchObject([{ account: 'alice' }])
  })

  it('with the method of a Request', async () => {
    const { connection, told } = host()
    await connection.authorize()
    await connection.fetch(new Request(`${server.url}?q=1`, { method: 'delete' }))
    expect(told).toMatchObject([{ method: 'DELETE', url: server.url }])
  })

  it('once, where it was refused and sent again with a newer token', async () => {
    const { connection, told } = host()
    await connection.authorize()
    server.accessTokens.clear()
    server.clearRequests()
    await ping(connection)
    expect(server.requests.filter(({ path }) => path === '/mcp')).toHaveLength(2)
    expect(told).toMatchObject([{ status: 200 }])
  })

  it('once, where it opened a login', async () => {
    const { connection, told } = host({ interaction: 'on-demand' })
    await ping(connection)
    expect(told).toMatchObject([{ status: 200, issuer: server.issuer }])
  })

  it('with the refusal, where the caller gets an error', async () => {
    const { connection, told } = host({ interaction: 'explicit' })
    await connection.authorize()
    server.routes.mcp = { status: 401 }
    await expect(ping(connection)).rejects.toThrow()
    expect(told).toMatchObject([{ status: 401 }])
  })

  it('without a status, where no answer came', async () => {
    const { connection, told } = host()
    await connection.authorize()
    server.routes.mcp = { destroy: true }
    await expect(ping(connection)).rejects.toThrow()
    expect(told).toHaveLength(1)
    expect(told[0]).not.toHaveProperty('status')
  })

  it('each of many at once, with one refresh among them', async () => {
    const { connection, told, clock } = host()
    await connection.authorize()
    clock.forward(400_000)
    await Promise.all(Array.from({ length: 20 }, () => ping(connection)))
    expect(told).toHaveLength(20)
  })
})

describe('what carried no token of ours is not told', () => {
  it('a request that went out bare and was refused', async () => {
    const { connection, told } = host({ interaction: 'never' })
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(told).toEqual([])
  })

  it('a request with a header of the host’s own, whatever becomes of it', async () => {
    const { connection, told } = host()
    await connection.authorize()
    const headers = { authorization: 'Bearer its-own' }
    await expect(ping(connection, { headers })).rejects.toMatchObject({ code: 'header_rejected' })
    expect(told).toEqual([])
  })

  it('a request to another origin', async () => {
    const elsewhere = open(await scriptedAuthorization())
    const { connection, told } = host()
    await connection.authorize()
    await connection.fetch(elsewhere.url, { headers: { authorization: 'Bearer theirs' } })
    expect(told).toEqual([])
  })
})

describe('an audit that fails is the host’s own trouble', () => {
  it.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new Error('the disk is full')
      },
    ],
    ['rejects', (async () => Promise.reject(new Error('the disk is full'))) as () => void],
    ['is never done', (() => new Promise(() => undefined)) as () => void],
  ])('one that %s fails no request', async (_name, audit) => {
    const { connection } = host({ audit })
    await connection.authorize()
    expect((await ping(connection)).status).toBe(200)
  })
})
