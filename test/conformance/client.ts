/**
 * The client that the conformance suite drives: `client.ts <server url>`, one run for each row. Gets in through the public API
 * alone, by the credentials that the row provides or else as a person, lists the tools, calls `test-tool`, and exits with 0, or
 * with 1 and the reason on stderr.
 */
import { createConnector, loopback, memoryStore } from '@countersign/node'
import { agree } from './browser.js'
import { readRow } from './row.js'
import { useTools } from './wire.js'

/** Known to the suite, which never fetches it. */
const METADATA_URL = 'https://conformance-test.local/client-metadata.json'

/** Below the runner's 30 s: it stops the shell around this process, not the process. */
const DEADLINE_MS = 25_000

async function main(): Promise<void> {
  const row = readRow(process.argv, process.env)
  const { credentials } = row
  await using connector = createConnector({
    appId: 'dev.countersign.conformance',
    clientName: 'Countersign conformance client',
    store: memoryStore(),
    ...(credentials
      ? { credentials }
      : {
          userAgent: loopback({ open: agree }),
          client: { metadataUrl: METADATA_URL, ...(row.registered && { registered: row.registered }) },
        }),
  })
  await useTools(connector.connect(row.url), row.version)
}

/** An error and its causes, a line each: messages only, which hold no secret. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return `${String(error)}\n`
  return `${error.name}: ${error.message}\n${error.cause === undefined ? '' : reasons(error.cause)}`
}

const fail = (error: unknown): unknown => process.stderr.write(reasons(error), () => process.exit(1))

setTimeout(() => fail(`not done after ${DEADLINE_MS} ms`), DEADLINE_MS)
// Exits by itself: the runner holds stdin open, and idle sockets would keep the process.
main().then(() => process.exit(0), fail)
