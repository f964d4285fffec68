import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ROOT } from '../docs/support.js'
import { succeeds } from './command.js'

export const packages = ['core', 'node', 'browser'] as const

/** A package as the registry would get it. */
export interface Packed {
  readonly tarball: string
  /** Paths in the package. */
  readonly files: readonly string[]
  readonly manifest: Manifest
}

/** The members of a `package.json` that a test looks at. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Packs the three packages as they are published, with the build that goes before. The sources are copied first: a build
 * begins by deleting what it builds, which others may be reading.
 *
 * @param folder - an empty one
 */
export async function packAll(folder: string): Promise<readonly Packed[]> {
  const workspace = join(folder, 'workspace')
  const tarballs = join(folder, 'tarballs')
  await Promise.all([layOut(workspace), mkdir(tarballs, { recursive: true })])
  const [pnpm = '', ...args] = pnpmCommand()
  await succeeds(pnpm, [...args, '--recursive', 'pack', '--pack-destination', tarballs], workspace)
  const names = await readdir(tarballs)
  return Promise.all(names.sort().map((name) => opened(tarballs, name)))
}

async function layOut(workspace: string): Promise<void> {
  await mkdir(join(workspace, 'packages'), { recursive: true })
  const copy = (path: string): Promise<void> =>
    cp(join(ROOT, path), join(workspace, path), { recursive: true, verbatimSymlinks: true, filter: isSource })
  await Promise.all([
    ...['LICENSE', 'package.json', 'tsconfig.base.json', 'tools'].map(copy),
    ...packages.map((name) => copy(`packages/${name}`)),
    writeFile(join(workspace, 'pnpm-workspace.yaml'), 'packages:\n  - packages/*\n'),
    // The links in the packages' own node_modules lead here, and there to the copied packages.
    symlink(join(ROOT, 'node_modules'), join(workspace, 'node_modules'), 'junction'),
  ])
}

const isSource = (path: string): boolean => !/\.tgz$|\.tsbuildinfo$/.test(path) && basename(path) !== 'dist'

/** The package manager that runs this, or the one that CI installs with. */
function pnpmCommand(): readonly string[] {
  const { npm_execpath: running = '' } = process.env
  if (!/pnpm/.test(basename(running)) || !existsSync(running)) return ['npx', '-y', 'pnpm@12']
  return /\.[cm]?js$/.test(running) ? [process.execPath, running] : [running]
}

async function opened(folder: string, name: string): Promise<Packed> {
  const [listed, manifest] = await Promise.all([
    succeeds('tar', ['-tzf', name], folder),
    succeeds('tar', ['-xzOf', name, 'package/package.json'], folder),
  ])
  const files = listed.trim().split('\n')
  return {
    tarball: join(folder, name),
    files: files.map((file) => file.trim().replace(/^package\//, '')).sort(),
    manifest: JSON.parse(manifest),
  }
}
