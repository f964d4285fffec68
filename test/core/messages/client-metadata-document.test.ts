import {
  type ClientMetadataDocumentInput,
  checkClientMetadataDocument,
  clientMetadataDocument,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'

const url = 'https://agent.example/client.json'
const input: ClientMetadataDocumentInput = {
  url,
  clientName: 'My agent',
  redirectUris: ['http://127.0.0.1/callback'],
}

describe('a client metadata document (OAuth Client ID Metadata Document)', () => {
  test('says what a server needs to know, and nothing that is not known', {
    tags: ['mcp-registration/document-members', 'mcp-registration/document-client-id'],
  }, () => {
    expect(clientMetadataDocument(input)).toEqual({
      client_id: url,
      client_name: 'My agent',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    })
  })

  test('of a client with a key has its public half', { tags: ['mcp-registration/document-private-key'] }, () => {
    const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] }
    const document = clientMetadataDocument({ ...input, jwks, scope: 'a b', clientUri: 'https://agent.example' })
    expect(document).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks, scope: 'a b' })
    expect(checkClientMetadataDocument(url, document)).toEqual([])
    expect(checkClientMetadataDocument(url, clientMetadataDocument({ ...input, jwksUri: `${url}/jwks` }))).toEqual([])
  })

  test('that was rendered here is one that passes, as data and as text', () => {
    const document = clientMetadataDocument(input)
    expect(checkClientMetadataDocument(url, document)).toEqual([])
    expect(checkClientMetadataDocument(url, JSON.stringify(document, undefined, 2))).toEqual([])
  })
})

describe('what is wrong with a document', () => {
  const good = clientMetadataDocument(input)
  const wrongIn = (more: object, at = url) =>
    checkClientMetadataDocument(at, { ...good, ...more }).map(({ member }) => member)

  test.each<[string, object]>([
    ['client_id', { client_id: `${url}/` }],
    ['client_id', { client_id: undefined }],
    ['client_name', { client_name: '' }],
    ['redirect_uris', { redirect_uris: [] }],
    ['redirect_uris', { redirect_uris: 'https://agent.example/callback' }],
    ['redirect_uris', { redirect_uris: ['http://agent.example/callback'] }],
    ['redirect_uris', { redirect_uris: ['https://agent.example/callback#fragment'] }],
    ['redirect_uris', { redirect_uris: ['/callback'] }],
    ['client_secret', { client_secret: 'canary' }],
    ['client_secret_expires_at', { client_secret_expires_at: 0 }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['jwks', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['jwks', { jwks: { keys: [{ kty: 'EC', d: 'canary' }] } }],
    ['grant_types', { grant_types: ['client_credentials'] }],
    ['response_types', { response_types: [] }],
  ])('%s: %j', (member, more) => {
    expect(wrongIn(more)).toEqual([member])
    expect(JSON.stringify(checkClientMetadataDocument(url, { ...good, ...more }))).not.toContain('canary')
  })

  test.each([
    'http://agent.example/client.json',
    'https://agent.example/',
    'https://agent.example',
    'https://agent.example/client.json#here',
    'https://somebody@agent.example/client.json',
    'https://agent.example/a/../client.json',
    'https://agent.example/%2e%2E/client.json',
    'client.json',
  ])('%s is no place for one', (at) => {
    expect(wrongIn({ client_id: at }, at)).toEqual(['(url)'])
  })

  test.each(['', '<html>', '[]', '"text"', '{'])('%j is no document', (text) => {
    expect(checkClientMetadataDocument(url, text).map(({ member }) => member)).toEqual(['(document)'])
  })
})
