import { startTests } from 'vitest/internal/browser'
import { config } from './state.js'

type Runner = Parameters<typeof startTests>[1]
type Task = Awaited<ReturnType<typeof startTests>>[number]['tasks'][number]

/** How the tests of one file ended: their names, and what went wrong with those that failed. */
export interface Ended {
  readonly passed: readonly string[]
  readonly failed: readonly string[]
}

/** Runs the files that this worker was built with, by vitest's own runner, when it is asked for one. */
export function serve(files: Readonly<Record<string, () => Promise<unknown>>>): void {
  addEventListener('message', async ({ data, ports }) => {
    ports[0]?.postMessage(await run(data, files[data] as () => Promise<unknown>))
  })
}

async function run(file: string, load: () => Promise<unknown>): Promise<Ended> {
  const runner = { config, importFile: load } as unknown as Runner
  const [ran] = await startTests([file], runner)
  const tests = (ran?.tasks ?? []).flatMap(flat)
  const failed = tests.filter(({ result }) => result?.state !== 'pass')
  return {
    passed: tests.filter(({ result }) => result?.state === 'pass').map(({ name }) => name),
    failed: [
      ...(ran?.result?.errors ?? []).map(({ message, stack }) => `${file}: ${message} ${stack}`),
      ...failed.map(
        ({ name, result }) => `${name}: ${result?.errors?.map(({ message }) => message).join() ?? result?.state}`,
      ),
    ],
  }
}

const flat = (task: Task): Task[] => (task.type === 'suite' ? task.tasks.flatMap(flat) : [task])
