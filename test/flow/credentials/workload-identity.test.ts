import { inspect } from 'node:util'
import {
  createConnector,
  customCredentials,
  type TokenResponse,
  type WorkloadIdentityOptions,
  workloadIdentity,
} from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

describe('workload identity (RFC 7523 section 2.1)', () => {
  const open = closing()

  /** A server that takes these assertions, each as often as it comes. */
  async function connect(options: Omit<WorkloadIdentityOptions, 'issuer'>, good: readonly string[] = ['assertion-1']) {
    const server = open(await scriptedAuthorization())
    const sent: Record<string, string>[] = []
    server.routes.token = ({ body, headers }) => {
      const form = Object.fromEntries(new URLSearchParams(body))
      sent.push(form)
      expect(headers.authorization).toBeUndefined()
      if (!good.includes(form.assertion ?? '')) return { status: 400, json: { error: 'invalid_grant' } }
      server.accessTokens.add(`t${sent.length}`)
      return { json: { access_token: `t${sent.length}`, token_type: 'Bearer', expires_in: 300 } }
    }
    const { issuer } = server
    const connector = open(createConnector({ credentials: workloadIdentity({ issuer, ...options }) }))
    return { server, sent, connection: connector.connect(server.url) }
  }

  it('the assertion is all that is presented: no client is named and none registered', {
    tags: ['rfc7523/jwt-bearer'],
  }, async () => {
    const { server, sent, connection } = await connect({ assertion: 'assertion-1' })
    expect((await ping(connection)).status).toBe(200)
    expect(sent).toEqual([{ grant_type: JWT_BEARER, assertion: 'assertion-1', resource: server.url }])
    expect(server.requests.some(({ path }) => path === '/register' || path === '/authorize')).toBe(false)
    expect((await connection.explain()).grant).not.toHaveProperty('clientId')
  })

  it('a supplier is asked at each acquisition, and told for whom', async () => {
    const asked: string[] = []
    const assertion = async ({ audience }: { audience: string }): Promise<string> => {
      asked.push(audience)
      return `assertion-${asked.length}`
    }
    const { server, sent, connection } = await connect({ assertion }, ['assertion-1', 'assertion-2'])
    await connection.token()
    await connection.token({ refresh: true })
    expect(sent.map((form) => form.assertion)).toEqual(['assertion-1', 'assertion-2'])
    expect(asked).toEqual([server.issuer, server.issuer])
  })

  it('the audience can be another', async () => {
    let asked = ''
    const assertion = async ({ audience }: { audience: string }): Promise<string> => {
      asked = audience
      return 'assertion-1'
    }
    const { connection } = await connect({ assertion, audience: 'https://as.example/token' })
    await connection.token()
    expect(asked).toBe('https://as.example/token')
  })

  it('a supplier whose assertion is refused is asked once more, in case it has rotated', async () => {
    const given = ['expired-one', 'assertion-1']
    const { sent, connection } = await connect({ assertion: async () => given.shift() ?? '' })
    await connection.token()
    expect(sent).toHaveLength(2)
  })

  it.each([
    ['a fixed assertion', 'expired'],
    ['a supplier that gives the same again', async () => 'expired'],
  ])('%s that is refused is not sent twice, and no other grant is tried', async (_name, assertion) => {
    const { sent, connection } = await connect({ assertion })
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'token_request_rejected',
      step: 'acquire',
      oauth: { error: 'invalid_grant' },
    })
    expect(sent).toHaveLength(1)
  })

  it.each(['invalid_scope', 'unauthorized_client'])('%s is said at once', async (error) => {
    let asked = 0
    const { server, connection } = await connect({ assertion: async () => `assertion-${++asked}` })
    server.routes.token = { status: 400, json: { error } }
    await expect(connection.token()).rejects.toMatchObject({ oauth: { error } })
    expect(asked).toBe(1)
  })

  it('a supplier that fails is named, with its own error as the cause, and nothing is sent', async () => {
    const cause = new TypeError('no such file')
    const { sent, connection } = await connect({ assertion: () => Promise.reject(cause) })
    await expect(ping(connection)).rejects.toMatchObject({ code: 'options_invalid', cause })
    expect(sent).toEqual([])
  })
})

describe('a way of your own', () => {
  const open = closing()

  it('gets the server, the door to its token endpoint, and whether a token was refused', async () => {
    const server = open(await scriptedAuthorization())
    server.routes.token = ({ body }) => {
      server.accessTokens.add(body)
      return { json: { access_token: body.replace(/\W/g, '-'), token_type: 'Bearer' } }
    }
    const fresh: boolean[] = []
    const credentials = customCredentials({
      issuer: server.issuer,
      client: { issuer: server.issuer, clientId: 'c' },
      acquire: (context) => {
        fresh.push(context.fresh)
        return context.request({ grant_type: 'urn:example:grant', nothing: undefined })
      },
    })
    const connection = open(createConnector({ credentials })).connect(server.url)
    const { accessToken } = await connection.token()
    expect(accessToken).toMatch(/^resource-.*-grant_type-urn-3Aexample-3Agrant-client_id-c$/)
    await connection.token({ refresh: true })
    expect(fresh).toEqual([false, true])
  })

  it('that throws is the host’s defect, and said so', async () => {
    const server = open(await scriptedAuthorization())
    const cause = new RangeError('mine')
    const credentials = customCredentials({ issuer: server.issuer, acquire: () => Promise.reject(cause) })
    const connection = open(createConnector({ credentials })).connect(server.url)
    await expect(connection.token()).rejects.toMatchObject({ code: 'options_invalid', step: 'acquire', cause })
  })

  it.each([undefined, '', 'planted\nsecret', '”planted”'])(
    'that gives %j for a token is one too, and does not show it',
    async (access_token) => {
      const server = open(await scriptedAuthorization())
      const acquire = async () => ({ access_token, token_type: 'Bearer', issued_at: Date.now() }) as TokenResponse
      const credentials = customCredentials({ issuer: server.issuer, acquire })
      const error = await ping(open(createConnector({ credentials })).connect(server.url)).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'options_invalid', step: 'acquire', received: 'something else' })
      expect(inspect(error, { depth: 9 })).not.toContain('planted')
    },
  )
})
