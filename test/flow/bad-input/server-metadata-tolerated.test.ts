import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedOverride, scriptedAuthorization } from '../../servers/index.js'
import { connect } from '../../support/bad-input.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const document = '/.well-known/oauth-authorization-server'

/** The usual document, with these members; undefined leaves one out. */
const withMembers =
  (members: object): ScriptedOverride =>
  (_request, usual) => ({ json: { ...(usual().json as object), ...members } })

describe('authorization server metadata that is tolerated', () => {
  it.each<[string, (at: ScriptedAuthorization) => object, string]>([
    ['a slash after an issuer without a path', (at) => ({ issuer: `${at.issuer}/` }), 'issuer_trailing_slash'],
    ['nulls for what is absent', () => ({ revocation_endpoint: null }), 'null_member'],
    ['a list that is none', () => ({ scopes_supported: 'a b' }), 'member_invalid'],
  ])('%s: with a diagnostic, and not where the connector is strict', async (_name, members, diagnostic) => {
    server.routes.serverMetadata = withMembers(members(server))
    server.routes.authorize = (_request, usual) => {
      const answer = usual()
      const location = new URL(String(answer.headers?.location))
      const { issuer } = { issuer: server.issuer, ...members(server) } as { issuer: string }
      location.searchParams.set('iss', issuer)
      return { ...answer, headers: { location: location.href } }
    }
    const { connection, seen } = connect(server)
    expect((await ping(connection)).status).toBe(200)
    expect(seen.diagnostics).toMatchObject([{ code: diagnostic, url: `${server.origin}${document}` }])
    await expect(ping(connect(server, { strict: true }).connection)).rejects.toMatchObject({
      code: expect.stringMatching(/^(issuer_mismatch|authorization_server_metadata_invalid)$/),
      step: 'discover',
    })
  })

  it('no code_challenge_methods_supported, where the host vouches for it', async () => {
    server.routes.serverMetadata = withMembers({ code_challenge_methods_supported: undefined })
    const { connection } = connect(server, { compatibility: { assumePkceS256: true } })
    expect((await ping(connection)).status).toBe(200)
  })

  it('another issuer, where the host has pinned it', async () => {
    server.routes.serverMetadata = withMembers({
      issuer: 'https://as.example',
      authorization_response_iss_parameter_supported: false,
    })
    server.routes.authorize = (_request, usual) => {
      const answer = usual()
      const location = new URL(String(answer.headers?.location))
      location.searchParams.delete('iss')
      return { ...answer, headers: { location: location.href } }
    }
    const trustIssuer = { listed: server.issuer, document: 'https://as.example' }
    const { connection } = connect(server, { compatibility: { trustIssuer } })
    expect((await ping(connection)).status).toBe(200)
  })
})
