import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const SUITE_VERSION = '0.2.0-alpha.12'
const NODE_VERSION = '22.23.3'

/** The suite, and a Node that is new enough for it; the client keeps the one that runs this. */
export interface Suite {
  readonly node: string
  readonly entry: string
}

/** Finds both in the cache that `run-auth-suite.sh` uses too, or installs them there from npm. */
export async function installSuite(env: NodeJS.ProcessEnv): Promise<Suite> {
  const home = env.CONF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mcp-conformance')
  const version = env.SUITE_VERSION ?? SUITE_VERSION
  const suite = '@modelcontextprotocol/conformance'
  const entry = await installed(join(home, `suite-${version}`), `${suite}@${version}`, `${suite}/dist/index.js`)
  return { node: env.SUITE_NODE ?? (await nodeForSuite(home)), entry }
}

/** The suite needs Node 22. npm has Node's binaries as packages, one for each platform. */
async function nodeForSuite(home: string): Promise<string> {
  if (Number.parseInt(process.versions.node, 10) >= 22) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  return installed(join(home, 'node22'), `${name}@${NODE_VERSION}`, `${name}/bin/node`)
}

async function installed(folder: string, specifier: string, file: string): Promise<string> {
  const path = join(folder, 'node_modules', file)
  if (existsSync(path)) return path
  await mkdir(folder, { recursive: true })
  await promisify(execFile)('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', specifier])
  return path
}
