import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

const source = (name: string): string => fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url))

/**
 * For `pnpm test:mutation`: the tests that need no other process, against the sources beside this file. By their names the
 * packages would be those of the repository, and not those of the copy that is mutated.
 */
export default defineConfig({
  resolve: { alias: { '@countersign/core': source('core'), '@countersign/node': source('node') } },
  test: {
    ...base.test,
    include: [
      'test/core/{*,messages/*,primitives/*,steps/*,http/*,flow/*,credentials/*}.test.ts',
      'test/flow/{bad-input,discovery,refresh}/*.test.ts',
      'test/flow/device/{odd-answers,polling,resumed}.test.ts',
      'test/flow/{metadata-document,forgotten-client,private-key,registration,token-exchange,unused-registration}.test.ts',
    ],
    tagsFilter: ['!timing'],
    setupFiles: ['test/setup.ts', 'test/mutation/setup.ts'],
  },
})
