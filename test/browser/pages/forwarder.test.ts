import { request as ask, type RequestListener } from 'node:http'
import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { startForwarder } from '../../support/forwarder.js'
import { outcome, overPages, pages } from '../support/pages.js'

/** The page's backend hands the route on to the forwarder, with all that the browser said. */
const handOnTo =
  (port: number): RequestListener =>
  (request, response) => {
    const { url: path = '/', method = 'GET', headers } = request
    request.pipe(
      ask({ host: '127.0.0.1', port, path: path.replace('/oauth-forward', '/'), method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }),
    )
  }

const signIn = async (tab: Page) => {
  await tab.click('button')
  return outcome(tab)
}

overPages('an authorization server that allows no page anything, through a backend that forwards', () => {
  const world = pages()

  it('is signed in to, refreshed and signed out of', async () => {
    // The MCP server is elsewhere, and allows pages; the authorization server says nothing of them.
    await using server = await scriptedAuthorization()
    await using mcp = await scriptedAuthorization()
    const cors = {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-expose-headers': 'www-authenticate',
    }
    mcp.routes.mcp = (request, usual) => {
      const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
      if (server.accessTokens.has(token)) mcp.accessTokens.add(token)
      return request.method === 'OPTIONS' ? { status: 204, headers: cors } : { ...usual(), headers: cors }
    }
    mcp.routes.resourceMetadata = {
      headers: cors,
      json: { resource: mcp.url, authorization_servers: [server.origin] },
    }
    const setup = { url: mcp.url, forward: [server.origin] }
    const direct = await world.tab({ url: mcp.url, account: 'another' })
    expect(await signIn(direct)).toMatchObject({ code: 'cross_origin_blocked' })

    const { origin } = server
    const list = [
      `GET ${origin}/.well-known/oauth-authorization-server`,
      ...['register', 'token', 'revoke'].map((path) => `POST ${origin}/${path}`),
    ]
    await using forwarder = await startForwarder(list, '127.0.0.1')
    world.site.routes['/oauth-forward'] = handOnTo(forwarder.port)
    const tab = await world.tab(setup)
    expect(await signIn(tab)).toMatchObject({ value: { status: 'signed_in' } })
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
    const before = await tab.evaluate(() => window.app.token())
    const after = await tab.evaluate(() => window.app.token({ refresh: true }))
    expect(after).toMatchObject({ value: expect.stringMatching(/^scripted-access-token-/) })
    expect(after).not.toEqual(before)
    server.clearRequests()
    await tab.evaluate(() => window.app.connection?.signOut())
    expect(server.requests.map(({ path }) => path)).toContain('/revoke')
    expect(server.requests.every(({ headers }) => headers.origin === undefined && headers.cookie === undefined)).toBe(
      true,
    )
  })

  it('answers no page that is opened at it, and no page of another origin', async () => {
    await using server = await scriptedAuthorization()
    const metadata = `${server.origin}/.well-known/oauth-authorization-server`
    await using forwarder = await startForwarder([`GET ${metadata}`], '127.0.0.1')
    world.site.routes['/oauth-forward'] = handOnTo(forwarder.port)
    const route = `${world.site.origin}/oauth-forward?url=${encodeURIComponent(metadata)}`
    const tab = await world.context.newPage()
    expect((await tab.goto(route))?.status()).toBe(403)
    await tab.goto(world.mcp.url)
    expect(
      await tab.evaluate(
        (url) =>
          fetch(url, { mode: 'no-cors' }).then(
            ({ type }) => type,
            () => 'blocked',
          ),
        route,
      ),
    ).toMatch(/opaque|blocked/)
    expect(server.requests).toEqual([])
  })
})
