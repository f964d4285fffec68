import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { bundle, directories } from './support.js'

const directory = directories()
const namespaces = spawnSync('unshare', ['-Urm', 'true']).status === 0

test.skipIf(!namespaces)(
  `a full disk, and a read-only one${namespaces ? '' : ' (SKIPPED, needs Linux with user namespaces)'}`,
  async () => {
    const args = ['-Urm', process.execPath, bundle('small-disk'), await directory()]
    const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
    expect(stderr).toBe('')
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({
      mounted: true,
      full: { code: 'store_unavailable', hint: expect.stringContaining('disk is full') },
      kept: { code: 'store_unavailable', hint: expect.stringContaining('disk is full') },
      intact: true,
      room: true,
      readable: true,
      readOnly: { code: 'store_unavailable', hint: expect.stringContaining('read-only') },
    })
    expect(result.written).toBeGreaterThan(3)
  },
)
