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

  const begin = (account: string) =>
    runScript<{ authorizationUrl: string; state: string }>(script('begin'), directory, servers.mcp.url, account)

  it('is completed by the process that the browser comes back to, over a store that both have', async () => {
    const begun = await begin('user-1')
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
    const begun = await begin('user-1')
    const [pending = ''] = await readdirText(directory)
    const { code_verifier } =
      /"code_verifier":"(?<code_verifier>[\w-]+)/.exec(pending.replaceAll('\\', ''))?.groups ?? {}
    expect(code_verifier).toHaveLength(43)
    const callback = await person().authorizationResponse(begun.authorizationUrl)
    const connector = open(createConnector({ appId: 'com.example.web', store: fileStore(directory) }))
    await connector.completeAuthorization(callback, { account: 'user-1', state: begun.state })
    for (const text of await readdirText(directory)) {
      expect(text).not.toContain(code_verifier)
      expect(text).not.toContain(new URL(callback).searchParams.get('code'))
    }
  })
})

const readdirText = async (directory: string): Promise<string[]> => {
  const texts = await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')))
  // The one with the verifier first.
  return texts.sort((a, b) => Number(b.includes('code_verifier')) - Number(a.includes('code_verifier')))
}
