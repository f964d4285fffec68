import type { Line } from '../report.js'
import type { Scene } from '../scene.js'

/** Looks for every secret of the run where none may be. */
export async function leaks(scene: Scene, printed: readonly Line[]): Promise<void> {
  const { checks, stage, store, traffic, visitor } = scene
  scene.phase('Afterwards')
  const said = JSON.stringify([traffic.events, printed])
  const secrets = [...store.secrets(), ...visitor.codes()]
  const leaked = secrets.filter((secret) => said.includes(secret)).length
  const received = `${secrets.length} tokens, codes, verifiers and states looked for, ${leaked} found`
  checks.holds('secrets in the log or in these lines', secrets.length > 0 && leaked === 0, received, 'none')
  checks.equal('errors inside the servers', stage.errors().map(String), [])
}
