import { createConnector } from '@countersign/core'
import { expect, it } from 'vitest'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { recordingFetch } from '../support/sent.js'
import { scriptedAgent } from '../support/watched-agent.js'

const url = 'http://mcp.example.com/mcp'
const open = closing()

it('a server in cleartext off loopback gets no login', {
  tags: ['rfc6750/tls', 'mcp-practices/ssrf-https'],
}, async () => {
  const oauthFetch = (): never => expect.unreachable('nothing may be asked')
  const { fetch } = recordingFetch(async () => new Response(null, { status: 401 }))
  const connection = open(createConnector({ fetch, oauthFetch, userAgent: scriptedAgent() })).connect(url)
  await expect(ping(connection)).rejects.toMatchObject({ code: 'url_not_allowed', received: 'scheme is not https' })
})
