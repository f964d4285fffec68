import { createConnector, type ServerOptions } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { differences, normaliseServerUrl, serverOptions } from '../../../packages/core/src/flow/options.js'

const url = 'https://mcp.example.com/mcp'

describe('the options of a connection', () => {
  test('come from connect, then from servers, then from the connector, member by member', () => {
    const connector = {
      scope: 'connector',
      loginHint: 'connector',
      interaction: 'never',
      servers: { 'https://mcp.example.com:443/mcp#part': { scope: 'servers', loginHint: 'servers' } },
    } as const
    expect(serverOptions(connector, url, { scope: 'connect' })).toMatchObject({
      scope: 'connect',
      loginHint: 'servers',
      interaction: 'never',
    })
    expect(serverOptions(connector, 'https://other.example/', {})).toMatchObject({ scope: 'connector' })
  })

  test('may be asked for by URL', () => {
    const asked: string[] = []
    const servers = (of: string) => {
      asked.push(of)
      return of === url ? { scope: 'servers' } : undefined
    }
    expect(serverOptions({ servers }, url, {})).toMatchObject({ scope: 'servers' })
    expect(serverOptions({ servers }, 'https://other.example/', {})).not.toHaveProperty('scope')
    expect(asked).toEqual([url, 'https://other.example/'])
  })

  test('what is undefined in a narrower place leaves what the wider one says', () => {
    const undefinedScope = { scope: undefined } as unknown as object
    expect(serverOptions({ scope: 'connector' }, url, undefinedScope)).toMatchObject({ scope: 'connector' })
  })

  test('are the same by value, functions by identity', () => {
    const secret = async (): Promise<string> => 's'
    const client = (clientSecret: () => Promise<string>): ServerOptions => ({
      client: { registered: [{ issuer: 'i', clientId: 'c', clientSecret }] },
    })
    const one = client(secret)
    expect(differences(one, structuredCloneButFunctions(one))).toEqual([])
    expect(
      differences(
        one,
        client(async () => 's'),
      ),
    ).toEqual(['client'])
    expect(differences({ scope: 'a' }, { scope: 'a', loginHint: 'b' })).toEqual(['loginHint'])
    expect(differences({ allowedIssuers: ['a', 'b'] }, { allowedIssuers: ['a'] })).toEqual(['allowedIssuers'])
  })
})

const structuredCloneButFunctions = <T>(value: T): T =>
  typeof value === 'object' && value !== null
    ? ((Array.isArray(value)
        ? value.map(structuredCloneButFunctions)
        : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, structuredCloneButFunctions(v)]))) as T)
    : value

describe('the URL of a server', () => {
  test.each([
    ['https://MCP.Example.com:443/mcp#part', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com', 'https://mcp.example.com/'],
    ['https://mcp.example.com/a/../mcp/?key=1', 'https://mcp.example.com/mcp/?key=1'],
    ['http://127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/mcp'],
  ])('%s is %s', (given, normal) => {
    expect(normaliseServerUrl(given)).toBe(normal)
    expect(normaliseServerUrl(new URL(given))).toBe(normal)
  })
})

describe('the times of a connector', () => {
  test.each(['requestTimeoutMs', 'loginTimeoutMs', 'interactionWaitMs'])('%s is a positive number', (name) => {
    for (const value of [0, -1, Number.NaN, Infinity]) {
      expect(() => createConnector({ [name]: value })).toThrow(
        expect.objectContaining({
          code: 'options_invalid',
          step: 'connect',
          expected: expect.stringContaining(name),
          received: String(value),
          action: 'fix_configuration',
        }),
      )
    }
    createConnector({ [name]: 1 })
  })
})
