import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { standIn } from '../support/portable.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const serversForPages: Plugin = {
  name: 'servers for pages',
  setup({ onLoad }) {
    onLoad({ filter: /test\/servers\/(index|scriptable)\.ts$/ }, ({ path }) => ({
      contents: `export * from ${JSON.stringify(standIn(path))}`,
      resolveDir: root,
    }))
  },
}

/** A module for a worker that runs these test files when it is asked to, as one script. */
export async function flowWorker(files: readonly string[]): Promise<string> {
  const entries = files.map((file) => `${JSON.stringify(file)}: () => import('./${file}'),`)
  const { outputFiles } = await build({
    stdin: {
      contents: `import { serve } from './test/browser/worker/run.ts'\nserve({\n${entries.join('\n')}\n})`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    plugins: [serversForPages],
  })
  return outputFiles[0]?.text ?? ''
}
