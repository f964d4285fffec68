import { CountersignError, createConnector, memoryStore } from '@countersign/node'
import { expect, it } from 'vitest'
import { scriptedAuthorization } from '../servers/index.js'
import { blocks, read } from './support.js'

const readme = await read('README.md')

/** What a region is without its place in the file. */
function dedented(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n')
  const indent = /^ */.exec(lines[0] ?? '')?.[0] ?? ''
  return lines.map((line) => line.replace(indent, '')).join('\n')
}

/** The regions of an example, without what makes a fixed value of a page an argument of a program. */
const regions = async (file: string): Promise<readonly string[]> =>
  [...(await read(file)).matchAll(/\/\/ #region \w+\n([\s\S]*?)\n *\/\/ #endregion/g)].map(([, text = '']) =>
    dedented(text).replace('process.argv[2] ?? ', ''),
  )

it('every TypeScript block is a region of an example, which is compiled and run', async () => {
  const page = ['browser/host.ts', 'browser/callback.ts', 'browser/app.tsx']
  const files = ['agent.ts', 'web-backend.ts', ...page].map((file) => regions(`examples/${file}`))
  expect(blocks(readme, 'ts').map(dedented)).toEqual((await Promise.all(files)).flat())
})

it('the page about machines without a browser has the regions of its example', async () => {
  const page = blocks(await read('docs/headless.md'), 'ts').map(dedented)
  expect(page).toEqual(expect.arrayContaining([...(await regions('examples/headless.ts'))]))
})

it('the block of the Node package is the agent of the README', async () => {
  const [agent = ''] = await regions('examples/agent.ts')
  const [block = ''] = blocks(await read('packages/node/README.md'), 'ts')
  expect(agent).toContain(dedented(block).replace(/^import .*\n\n/, ''))
})

it('the error is printed as it is shown', async () => {
  await using server = await scriptedAuthorization({
    routes: {
      serverMetadata: (_request, usual) => {
        const answer = usual()
        return { ...answer, json: { ...(answer.json as object), issuer: 'https://login.example.com' } }
      },
    },
  })
  await using connector = createConnector({ appId: 'test.readme', store: memoryStore() })
  const failed = await connector
    .connect(server.url)
    .fetch(server.url, { method: 'POST', body: '{}' })
    .catch((error: unknown) => error)
  if (!CountersignError.is(failed)) throw new Error('the login failed with another error', { cause: failed })
  const shown = blocks(readme, 'text').find((block) => block.startsWith('discover: '))
  expect(failed.message.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')).toBe(
    shown?.trim().replaceAll(/127\.0\.0\.1:\d+/g, 'HOST'),
  )
})

it('the interaction modes are those of the options', async () => {
  const options = await read('packages/core/src/flow/options.ts')
  const modes = /interaction\?: ((?:'[\w-]+'(?: \| )?)+)/.exec(options)?.[1]?.match(/'[\w-]+'/g)
  expect([...readme.matchAll(/^\| `('[\w-]+')`/gm)].map(([, mode]) => mode)).toEqual(modes)
})
