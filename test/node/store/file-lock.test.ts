import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { underLock } from '../../../packages/node/src/store/file-lock.js'
import { bundle, directories, start } from './support.js'

const directory = directories()
const place = async (): Promise<string> => join(await directory(), 'lock')
const pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms))

test('one at a time, in the order of asking, whatever becomes of each', async () => {
  const file = await place()
  let inside = 0
  const order: number[] = []
  const all = await Promise.allSettled(
    [1, 2, 3, 4].map((n) =>
      underLock(file, async () => {
        expect(++inside).toBe(1)
        await pause(2)
        inside--
        order.push(n)
        if (n === 2) throw new Error('its own')
      }),
    ),
  )
  expect(order).toEqual([1, 2, 3, 4])
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
})

test('who waits too long is told, and those behind still come', async () => {
  const file = await place()
  const first = underLock(file, () => pause(120))
  const second = underLock(file, async () => 'never', 20)
  const third = underLock(file, async () => 'later')
  await expect(second).rejects.toMatchObject({ code: 'store_unavailable', step: 'lock' })
  await first
  expect(await third).toBe('later')
})

test('a process that was stopped keeps its lock, one that was killed does not', async () => {
  const file = await place()
  const child = start(bundle('lock-holder'), [file])
  await once(child.stdout!, 'data')
  child.kill('SIGSTOP')
  await expect(underLock(file, async () => 'taken', 150)).rejects.toMatchObject({ code: 'store_unavailable' })
  const waiting = underLock(file, async () => 'taken')
  child.kill('SIGKILL')
  expect(await waiting).toBe('taken')
})

test('a lock whose file was deleted by somebody who tidied up is no lock', async () => {
  const file = await place()
  let inside = 0
  const enter = () =>
    underLock(file, async () => {
      expect(++inside).toBe(1)
      await pause(1)
      inside--
    })
  await Promise.all([enter(), enter(), rm(file, { force: true }), enter()])
})
