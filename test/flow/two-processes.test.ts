import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnector } from '@countersign/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { person } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { fileStore } from '../support/file-store.js'
import { mcpClient, ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { runScript } from '../support/run-script.js'
import { kindsIn } from '../support/stored.js'

const script = (name: string): URL => new URL(`fixtures/${name}.ts`, import.meta.url)

describe('a login whose two halves run in two processes', () => {
  const servers = realServers({})
  const open = closing()
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'countersign-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('is completed by the process that the browser comes back to, over a store that both have', async () => {
    const begun = await runScript<{ authorizationUrl: string; state: string }>(
      script('begin'),
      directory,
      servers.mcp.url,
      'user-1',
    )
    expect(await kindsIn(fileStore(directory))).toEqual(['attempt', 'discovery', 'registration'])

    const callback = await person({ login: 'carol' }).authorizationResponse(begun.authorizationUrl)
    expect(callback).toMatch(/^https:\/\/web\.example\/callback\?/)
    expect(await runScript(script('complete'), directory, callback, 'user-1', begun.state)).toEqual({
      account: 'user-1',
      appState: { returnTo: '/notes' },
      whoami: 'carol (notes:read notes:write)',
    })
    expect(servers.grants).toEqual(['authorization_code'])

    // A third process finds the login, and nobody is asked.
    const third = open(createConnector({ appId: 'com.example.web', store: fileStore(directory) }))
    const client = open(await mcpClient(third.connect(servers.mcp.url, { account: 'user-1' })))
    expect(await client.call('whoami')).toBe('carol (notes:read notes:write)')
    await expect(ping(third.connect(servers.mcp.url, { account: 'user-2' }))).rejects.toMatchObject({
      code: 'interaction_required',
    })
  })

  it('leaves the code and the verifier nowhere once it is over', async () => {
    const store = fileStore(directory)
    const connector = open(createConnector({ appId: 'com.example.web', store }))
    const connection = connector.connect(servers.mcp.url)
    const { authorizationUrl, state } = await connection.beginAuthorization({ redirectUri: 'https://web.example/cb' })
    const [pending = ''] = (await readdirText(directory)).filter((text) => text.includes('code_verifier'))
    const verifier = /"code_verifier":"([\w-]+)/.exec(pending.replaceAll('\\', ''))?.[1]
    expect(verifier).toHaveLength(43)

    const callback = await person().authorizationResponse(authorizationUrl)
    await connector.completeAuthorization(callback, { state })
    for (const text of await readdirText(directory)) {
      expect(text).not.toContain(verifier)
      expect(text).not.toContain(new URL(callback).searchParams.get('code'))
    }
  })
})

const readdirText = async (directory: string): Promise<string[]> =>
  Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')))
