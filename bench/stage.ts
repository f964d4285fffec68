import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const benchFolder = dirname(fileURLToPath(import.meta.url))
const workspaceFolder = dirname(benchFolder)
const run = promisify(execFile)

/** A folder that looks like a host's project: our packages as they are published, installed beside the peers. */
export interface Stage {
  readonly folder: string
  /** The compiled program of that name in `children`. */
  child(name: string): string
}

let staged: Promise<Stage> | undefined

/** Builds the packages and lays them out, once for a bench, and removes them when it ends. */
export function stage(): Promise<Stage> {
  staged ??= layOut()
  return staged
}

async function layOut(): Promise<Stage> {
  const folder = join(workspaceFolder, 'node_modules/.cache/countersign-bench', String(process.pid))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  await buildPackages()
  for (const name of ['core', 'node', 'browser']) await publish(name, folder)
  for (const peer of ['@modelcontextprotocol/sdk', '@modelcontextprotocol/client'])
    await link(peer, benchFolder, folder)
  await compileChildren(folder)
  return { folder, child: (name) => join(folder, `${name}.js`) }
}

/** As they are built for publishing, whatever that is. */
async function buildPackages(): Promise<void> {
  try {
    await run('npm', ['run', 'build'], { cwd: workspaceFolder })
  } catch (error) {
    // The compiler has written what it could: a bench of code that somebody is at work on is better than none.
    const { stdout = '' } = error as { stdout?: string }
    if (stdout === '') throw error
    process.stderr.write(`The packages do not build cleanly:\n${stdout}`)
  }
}

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly publishConfig: { readonly exports: unknown }
}

/** What an install of the published package leaves: its compiled files, its `publishConfig` applied, its dependencies. */
async function publish(name: string, folder: string): Promise<void> {
  const from = join(workspaceFolder, 'packages', name)
  const manifest: Manifest = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'))
  const to = join(folder, 'node_modules', manifest.name)
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.tsbuildinfo') })
  await writeFile(join(to, 'package.json'), JSON.stringify({ ...manifest, ...manifest.publishConfig }))
  for (const [dependency, version] of Object.entries(manifest.dependencies ?? {})) {
    if (!version.startsWith('workspace:')) await link(dependency, from, folder)
  }
}

async function link(name: string, from: string, folder: string): Promise<void> {
  const path = join(folder, 'node_modules', name)
  await mkdir(dirname(path), { recursive: true })
  await symlink(await realpath(join(from, 'node_modules', name)), path, 'dir')
}

/** The programs that run by themselves, compiled, so that no loader of ours is in what they measure. */
async function compileChildren(folder: string): Promise<void> {
  const children = join(benchFolder, 'children')
  const entryPoints = (await readdir(children))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(children, name))
  await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  })
}
