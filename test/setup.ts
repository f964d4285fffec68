import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The loopback ports of a login follow from the home directory, and with one of its own no worker takes those of another.
process.env.HOME = join(tmpdir(), `countersign-test-${process.pid}`)
