import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { tags } from './test/requirements/tags.js'

// Where CI reads the totals; nobody else needs the file.
const report = process.env.TEST_REPORT

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need a browser: `pnpm test:browser`.
    exclude: [...configDefaults.exclude, 'test/browser/*/**'],
    setupFiles: ['test/setup.ts'],
    // Many start programs, on machines that do other things too.
    testTimeout: 60_000,
    tags: [...tags],
    // The files of one worker share their modules: loading the real servers anew for each takes longer than most tests.
    // So a test puts back what it replaces; the three below do most of it. One that mocks a module resets the registry first,
    // and takes its mock back.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // One more than there are cores: many tests wait, for servers and for child processes.
    maxWorkers: availableParallelism() + 1,
    ...(report && { reporters: ['default', ['json', { outputFile: report }]] }),
  },
})
