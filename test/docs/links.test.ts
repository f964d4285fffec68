import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, read } from './support.js'

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`),
  'packages/core/README.md',
  'packages/node/README.md',
  'packages/browser/README.md',
]

/** The anchor that a heading gets. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchorsOf = async (page: string): Promise<readonly string[]> =>
  [...(await read(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading))

describe.each(pages)('%s', (page) => {
  it('links to what is there', async () => {
    const links = [...(await read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    for (const link of links.filter((one) => !one.startsWith('https:'))) {
      const [path = '', fragment] = link.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      expect(existsSync(join(ROOT, file)), `${link} leads somewhere`).toBe(true)
      if (fragment !== undefined) expect(await anchorsOf(file)).toContain(fragment)
    }
  })

  it('names files that are there', async () => {
    const text = await read(page)
    const named = [...text.matchAll(/`((?:packages|test|examples|docs|tools|\.ci)\/[\w./-]+)`/g)]
    for (const [, file = ''] of named) expect(existsSync(join(ROOT, file)), `${file} is there`).toBe(true)
  })

  it('names commands that are there', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
    const named = [...(await read(page)).matchAll(/npx pnpm (?:--silent )?(\w+)/g)].map(([, script]) => script)
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })
})
