import { createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { scriptedAgent } from '../support/watched-agent.js'

const metadataUrl = 'https://agent.example/client.json'
const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** What the authorization server says that it supports. */
const supports = (members: object): void => {
  server.routes.serverMetadata = (_request, usual) => ({ json: { ...Object(usual().json), ...members } })
}
const connect = (client: object) => open(createConnector({ userAgent: scriptedAgent(), client })).connect(server.url)
const paths = (): readonly string[] => server.requests.map(({ path }) => path)
const clientIds = (): readonly (string | null)[] =>
  server.requests.flatMap(({ path, query, body }) =>
    path === '/authorize'
      ? [query.get('client_id')]
      : path === '/token'
        ? [new URLSearchParams(body).get('client_id')]
        : [],
  )

describe('a client with a metadata document', () => {
  it('is that URL where the server supports it: nothing is registered', {
    tags: ['mcp-registration/metadata-documents', 'mcp-registration/priority'],
  }, async () => {
    supports({ client_id_metadata_document_supported: true })
    expect((await ping(connect({ metadataUrl }))).status).toBe(200)
    expect(clientIds()).toEqual([metadataUrl, metadataUrl])
    expect(paths()).not.toContain('/register')
  })

  it.each([
    ['does not say so', {}],
    ['says that it does not', { client_id_metadata_document_supported: false }],
    [
      'takes no public client',
      { client_id_metadata_document_supported: true, token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    ],
  ])(
    'is registered where the server %s',
    {
      tags: ['mcp-registration/document-capability', 'mcp-registration/document-fallback'],
    },
    async (_name, members) => {
      supports(members)
      server.routes.register = (_request, usual) => ({
        ...usual(),
        json: { ...Object(usual().json), client_secret: 's' },
      })
      expect((await ping(connect({ metadataUrl }))).status).toBe(200)
      expect(paths()).toContain('/register')
      expect(clientIds()).not.toContain(metadataUrl)
    },
  )

  it('comes after one that was registered by hand', { tags: 'mcp-registration/priority' }, async () => {
    supports({ client_id_metadata_document_supported: true })
    const registered = { issuer: server.issuer, clientId: 'by-hand' }
    expect((await ping(connect({ metadataUrl, registered }))).status).toBe(200)
    expect(clientIds()).toEqual(['by-hand', 'by-hand'])
  })

  it.each([
    'http://agent.example/client.json',
    'https://agent.example',
    'https://agent.example/',
    'https://agent.example/client.json#a',
    'https://user@agent.example/client.json',
    'client.json',
  ])('has an https URL with a path, not %s', { tags: 'mcp-registration/document-url' }, async (wrong) => {
    supports({ client_id_metadata_document_supported: true })
    await expect(connect({ metadataUrl: wrong }).authorize()).rejects.toMatchObject({
      code: 'options_invalid',
      step: 'register',
      action: 'fix_configuration',
    })
    expect(paths()).not.toContain('/authorize')
  })
})
