import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { read } from '../docs/support.js'
import { person, startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { command, type Ended } from './command.js'
import { type Packed, packAll, packages } from './packing.js'
import { compileAgents, installed, installedVersions } from './project.js'

describe('the packages as they are published', () => {
  let folder: string
  let project: string
  let packed: readonly Packed[]
  let compiled: Ended

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'countersign-packed-'))
    project = join(folder, 'project')
    packed = await packAll(folder)
    await installed(
      project,
      packed.map(({ tarball }) => tarball),
    )
    compiled = await compileAgents(project)
  }, 120_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const named = (name: string): Packed => {
    const found = packed.find(({ manifest }) => manifest.name === `@countersign/${name}`)
    if (found === undefined) throw new Error(`${name} was not packed`)
    return found
  }

  describe.each(packages)('@countersign/%s', (name) => {
    it('has its code, its sources, its README and the licence, and nothing else', () => {
      const { files } = named(name)
      expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'src/index.ts']))
      for (const end of ['js', 'js.map', 'd.ts', 'd.ts.map']) expect(files).toContain(`dist/index.${end}`)
      const others = files.filter((file) => !/^(dist\/.*\.(js|d\.ts)(\.map)?|src\/.*\.ts)$/.test(file))
      expect(others).toEqual(['LICENSE', 'README.md', 'package.json'])
      expect(files.filter((file) => /(^|\/)tests?\/|\.test\.|tsbuildinfo/.test(file))).toEqual([])
    })

    it('leads a debugger from its code to its sources', async () => {
      const { files } = named(name)
      const maps = files.filter((file) => file.endsWith('.map'))
      expect(maps.length).toBeGreaterThan(1)
      const at = join(project, 'node_modules/@countersign', name)
      for (const map of maps) {
        const { sources } = JSON.parse(await readFile(join(at, map), 'utf8')) as { sources: string[] }
        expect(sources.length, map).toBeGreaterThan(0)
        expect(files, map).toEqual(expect.arrayContaining(sources.map((one) => posix.join(dirname(map), one))))
      }
    })

    it('exports what is in its dist, and depends on released versions', () => {
      const { files, manifest } = named(name)
      const targets = Object.values(manifest.exports).flatMap((to) => (typeof to === 'string' ? to : Object.values(to)))
      for (const target of targets) {
        expect(target).toMatch(/^\.\/(dist\/|package\.json$)/)
        expect(files).toContain(target.slice(2))
      }
      const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest
      const ranges = Object.values({ ...dependencies, ...peerDependencies, ...optionalDependencies })
      for (const range of ranges) expect(range).toMatch(/^[\^~]?\d/)
    })
  })

  it('core depends on what makes proofs, and on nothing else', () => {
    const { dependencies, peerDependencies, optionalDependencies } = named('core').manifest
    expect([dependencies ?? {}, peerDependencies ?? {}, optionalDependencies ?? {}]).toEqual([
      { dpop: expect.stringMatching(/^\d/) },
      {},
      {},
    ])
  })

  it('install into an empty project, with one core for all', async () => {
    const { version } = JSON.parse(await read('packages/core/package.json')) as { version: string }
    const paths = packages.map((name) => [`node_modules/@countersign/${name}`, version])
    expect(await installedVersions(project)).toEqual(Object.fromEntries(paths))
  })

  it("type-check with the README's agent, imported and required, down to every declaration", () => {
    expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it.each([
    ['imported', 'agent.mjs'],
    ['required', 'agent.cjs'],
  ])('%s, the agent signs in, lists the tools and ends', async (_, file) => {
    await using authorizationServer = await startAuthorizationServer()
    await using mcp = await startMcpServer({ authorizationServer })
    const alice = person()
    const visits: Promise<unknown>[] = []
    const ended = await command(process.execPath, [join('out', file), mcp.url], {
      cwd: project,
      // The store that it is given by default: encrypted files, in a home of its own.
      env: { ...process.env, HOME: await mkdtemp(join(folder, 'home-')), COUNTERSIGN_STORE_KEY: 'a'.repeat(64) },
      onLine: (line) => {
        const url = /^open (.*)/.exec(line)?.[1]
        if (url !== undefined) visits.push(alice.open(url))
      },
    })
    // Node 20 says that requiring a module is new.
    const complaints = ended.stderr
      .split('\n')
      .filter((line) => line !== '' && !/ExperimentalWarning|trace-warnings/.test(line))
    expect({ code: ended.code, complaints }).toEqual({ code: 0, complaints: [] })
    expect(ended.stdout.split('\n').slice(1)).toEqual(['tools list_notes add_note whoami', ''])
    expect(await Promise.all(visits)).toMatchObject([{ status: 200 }])
    expect([...authorizationServer.errors, ...mcp.errors]).toEqual([])
  })
})
