import { createConnector, loopback, memoryStore } from '@countersign/node'
import { describe, expect, it } from 'vitest'
import { person, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { realServers } from '../support/real-servers.js'
import { watched } from '../support/watched-agent.js'

const appId = 'com.example.declined'

describe('a person who declines', () => {
  const servers = realServers({})
  const open = closing()

  it('is not asked again by the next request, but by authorize()', async () => {
    const alice = person({ decision: 'deny' })
    const agent = watched(loopback({ open: alice.open }))
    const notes = open(createConnector({ appId, store: memoryStore(), userAgent: agent })).connect(servers.mcp.url)
    const ping = () => notes.fetch(notes.url, { method: 'POST', body: '{}' })
    await expect(ping()).rejects.toMatchObject({ code: 'access_denied' })
    await expect(ping()).rejects.toMatchObject({ code: 'interaction_required' })
    expect(agent.begun).toBe(1)
    alice.decision = 'approve'
    expect(await notes.authorize()).toMatchObject({ status: 'signed_in' })
    expect(agent.begun).toBe(2)
  })
})

describe('an authorization server with a cleartext token endpoint', {
  tags: ['mcp-security/https', 'mcp-practices/sanitize-urls'],
}, () => {
  const open = closing()

  it('is refused before a person is asked', async () => {
    const server = open(
      await scriptedAuthorization({
        routes: {
          serverMetadata: (_, usual) => {
            const answer = usual()
            return { ...answer, json: { ...Object(answer.json), token_endpoint: 'http://as.example.com/token' } }
          },
        },
      }),
    )
    const agent = watched(loopback({ open: person().open }))
    const connection = open(createConnector({ appId, store: memoryStore(), userAgent: agent })).connect(server.url)
    await expect(connection.authorize()).rejects.toMatchObject({
      code: 'url_not_allowed',
      step: 'discover',
      url: 'http://as.example.com/token',
      received: 'scheme is not https',
    })
    expect(server.requests.some(({ path }) => path.includes('register'))).toBe(false)
  })
})
