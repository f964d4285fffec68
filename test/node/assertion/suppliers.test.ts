import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import {
  assertionFromEnvironment,
  assertionFromFile,
  assertionFromUrl,
  createConnector,
  memoryStore,
  workloadIdentity,
} from '@countersign/node'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Answer, scriptedAuthorization, startScriptableServer } from '../../servers/index.js'
import { closing } from '../../support/closing.js'

const need = { audience: 'https://as.example' }
afterEach(() => void vi.unstubAllEnvs())

describe('an assertion from a file', () => {
  const fileWith = async (text: string): Promise<string> => {
    const path = join(await mkdtemp(join(tmpdir(), 'countersign-assertion-')), 'token')
    await writeFile(path, text)
    return path
  }

  it('is read each time, without the line break at its end', async () => {
    const path = await fileWith('first\n')
    const assertion = assertionFromFile(path)
    expect(await assertion(need)).toBe('first')
    await writeFile(path, 'second\n')
    expect(await assertion(need)).toBe('second')
  })

  it.each([
    ['is empty', async () => fileWith(' \n'), 'nothing'],
    ['is not there', async () => '/nowhere/token', 'a file that cannot be read'],
  ])('that %s is named', async (_name, path, received) => {
    const at = await path()
    await expect(assertionFromFile(at)(need)).rejects.toMatchObject({
      code: 'options_invalid',
      expected: `an assertion in ${at}`,
      received,
    })
  })

  it('gets a workload in, again and again', async () => {
    const server = await scriptedAuthorization()
    const sent: (string | null)[] = []
    server.routes.token = ({ body }) => {
      sent.push(new URLSearchParams(body).get('assertion'))
      return { json: { access_token: 't', token_type: 'Bearer' } }
    }
    const path = await fileWith('monday')
    const credentials = workloadIdentity({ issuer: server.issuer, assertion: assertionFromFile(path) })
    await using connector = createConnector({ appId: 'test', store: memoryStore(), credentials })
    const connection = connector.connect(server.url)
    await connection.token()
    await writeFile(path, 'tuesday')
    await connection.token({ refresh: true })
    expect(sent).toEqual(['monday', 'tuesday'])
    await server.close()
  })
})

describe('an assertion from the environment', () => {
  it('is looked up each time', async () => {
    const assertion = assertionFromEnvironment('COUNTERSIGN_TEST_ASSERTION')
    await expect(assertion(need)).rejects.toMatchObject({
      code: 'options_invalid',
      expected: 'an assertion in the environment variable COUNTERSIGN_TEST_ASSERTION',
    })
    vi.stubEnv('COUNTERSIGN_TEST_ASSERTION', 'now it is there')
    expect(await assertion(need)).toBe('now it is there')
  })
})

describe('an assertion from a URL', () => {
  const open = closing()
  const serve = async (answer: Answer | (() => Promise<Answer>)) =>
    open(await startScriptableServer(async () => (typeof answer === 'function' ? answer() : answer)))

  it('is asked for with the audience, as a metadata server wants it', async () => {
    const server = await serve({ body: 'the-token\n' })
    const headers = { 'metadata-flavor': 'Google' }
    const assertion = assertionFromUrl(`${server.origin}/identity?format=full`, { headers })
    expect(await assertion(need)).toBe('the-token')
    const [request] = server.requests
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ format: 'full', audience: need.audience })
    expect(request?.headers['metadata-flavor']).toBe('Google')
  })

  it('can be a member of a JSON answer, and the audience another parameter or none', async () => {
    const server = await serve({ json: { value: 'the-token', count: 1 } })
    expect(await assertionFromUrl(server.origin, { member: 'value', audienceParameter: 'resource' })(need)).toBe(
      'the-token',
    )
    await assertionFromUrl(server.origin, { member: 'value', audienceParameter: false })(need)
    expect(server.requests.map(({ query }) => [...query.keys()])).toEqual([['resource'], []])
  })

  it.each<[string, Answer, object, string]>([
    ['an error', { status: 403, body: 'canary-in-the-body' }, {}, 'HTTP 403'],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' } }, {}, 'no answer'],
    ['too much', { body: 'x'.repeat(70_000) }, {}, 'more than 65536 bytes'],
    ['nothing', { body: '' }, {}, 'nothing'],
    ['no JSON', { body: 'canary-in-the-body' }, { member: 'value' }, 'nothing'],
    ['another member', { json: { other: 'canary-in-the-body' } }, { member: 'value' }, 'nothing'],
  ])('%s is said, without what came', async (_name, answer, options, received) => {
    const server = await serve(answer)
    const error = await assertionFromUrl(
      `${server.origin}/?key=canary-in-the-query`,
      options,
    )(need).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'options_invalid', received })
    expect(`${JSON.stringify(error)}${(error as Error).stack}`).not.toContain('canary')
  })

  it.each([
    ['a header', 'http://127.0.0.1:1/', { headers: { authorization: 'Bearer canary\nin-a-header' } }],
    ['the URL', 'http://me:canary@127.0.0.1:1/?key=canary', {}],
  ])('of a request that cannot even be made, nothing is shown: %s', async (_name, url, options) => {
    const error = await assertionFromUrl(url, options)(need).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'options_invalid', received: 'no answer' })
    expect(inspect(error, { depth: 9 })).not.toContain('canary')
  })
})
