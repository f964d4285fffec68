/** What vitest expects to find wherever it runs; imported before vitest itself. */
export const config = {
  root: '/',
  setupFiles: [],
  name: 'worker',
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
  chaiConfig: undefined,
  maxConcurrency: 5,
  testTimeout: 20_000,
  hookTimeout: 20_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
  expect: {},
} as const

Object.assign(globalThis, { __vitest_worker__: { config, filepath: '', environment: { name: 'worker' }, metaEnv: {} } })
