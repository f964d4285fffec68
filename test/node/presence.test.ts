import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { nodePresence } from '../../packages/node/src/presence.js'
import { startFixture } from './child.js'
import { pause } from './support.js'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A name with some of its parts replaced. */
async function named(parts: { machine?: string; space?: string; pid?: number; start?: string }): Promise<string> {
  const [format, machine, space, pid, start] = (await nodePresence().self()).split('.')
  return [format, parts.machine ?? machine, parts.space ?? space, parts.pid ?? pid, parts.start ?? start].join('.')
}

const startOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')[19]!

describe('the name of a process', () => {
  it('is short, the same every time, and this process is alive under it', async () => {
    const [one, other] = [nodePresence(), nodePresence()]
    const name = await one.self()
    expect(name).toBe(await other.self())
    expect(name).toMatch(/^p1\.[\w-]{22}\.[\w-]*\.\d+\.\d+$/)
    expect(await other.alive(name)).toBe(true)
  })

  it('holds nothing that tells the machine to others', async () => {
    const { hostname, userInfo } = await import('node:os')
    const name = await nodePresence().self()
    expect(name).not.toContain(hostname())
    if (userInfo().username.length > 3) expect(name).not.toContain(userInfo().username)
  })

  it.each(['', 'nonsense', 'p1', 'p1....', 'p1.a.b.c.d', 'p2.a.b.1.2', 'p1.a.b.-1.2', 'p1.a.b.1.2.3', '{"pid":1}'])(
    'says nothing when it is %j',
    async (name) => expect(await nodePresence().alive(name)).toBeUndefined(),
  )
})

describe.skipIf(process.platform !== 'linux')('another process on Linux', () => {
  it('is seen to live, and to be gone', async () => {
    const child = startFixture('holder')
    children.push(child)
    const [line] = await once(child.stdout, 'data')
    const name = String(line).trim()
    const presence = nodePresence()
    expect(name.split('.')[3]).toBe(String(child.pid))
    expect(await presence.alive(name)).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await presence.alive(name)).toBe(false)
  })

  it('that stands still is alive', async () => {
    const child = spawn('sleep', ['30'])
    children.push(child)
    const name = await named({ pid: child.pid!, start: await startOf(child.pid!) })
    child.kill('SIGSTOP')
    expect(await nodePresence().alive(name)).toBe(true)
  })

  it('that has ended and is not reaped is gone', async () => {
    // The shell starts one program and becomes another, which never asks after its child.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'])
    children.push(parent)
    const [line] = await once(parent.stdout!, 'data')
    const pid = Number(String(line))
    const name = await named({ pid, start: await startOf(pid) })
    expect(await nodePresence().alive(name)).toBe(true)
    await pause(500)
    expect(await readFile(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ')
    expect(await nodePresence().alive(name)).toBe(false)
  })

  it('with the same id but another start is another process', async () => {
    expect(await nodePresence().alive(await named({ start: '1' }))).toBe(false)
    expect(await nodePresence().alive(await named({ pid: process.ppid, start: '1' }))).toBe(false)
  })

  it('cannot be known on another machine, boot or namespace', async () => {
    for (const pid of [process.pid, 4_000_000]) {
      expect(await nodePresence().alive(await named({ pid, machine: 'x'.repeat(22) }))).toBeUndefined()
      expect(await nodePresence().alive(await named({ pid, space: 'x'.repeat(22) }))).toBeUndefined()
      expect(await nodePresence().alive(await named({ pid, space: '' }))).toBeUndefined()
    }
  })

  it('cannot be known by its id alone, unless the id is free', async () => {
    expect(await nodePresence().alive(await named({ pid: process.ppid, start: '' }))).toBeUndefined()
    expect(await nodePresence().alive(await named({ pid: 4_000_000, start: '' }))).toBe(false)
  })

  describe('where /proc is not all there', () => {
    /** A /proc with this process and no other, as `hidepid` makes it. */
    async function fakeProc(self: string): Promise<string> {
      const proc = await mkdtemp(join(tmpdir(), 'countersign-proc-'))
      await mkdir(join(proc, 'self/ns'), { recursive: true })
      await mkdir(join(proc, 'sys/kernel/random'), { recursive: true })
      await writeFile(join(proc, 'sys/kernel/random/boot_id'), await readFile('/proc/sys/kernel/random/boot_id'))
      await writeFile(join(proc, 'self/stat'), self)
      for (const ns of ['pid', 'time']) await symlink(await readlink(`/proc/self/ns/${ns}`), join(proc, 'self/ns', ns))
      return proc
    }

    it('a process that is hidden is not taken for one that is gone', async () => {
      const proc = await fakeProc(await readFile('/proc/self/stat', 'utf8'))
      const presence = nodePresence({ proc })
      expect(await presence.self()).toBe(await nodePresence().self())
      expect(await presence.alive(await named({ pid: process.ppid }))).toBeUndefined()
      await rm(proc, { recursive: true })
    })

    it('the /proc of another namespace is not believed', async () => {
      const proc = await fakeProc((await readFile('/proc/self/stat', 'utf8')).replace(/^\d+/, '1'))
      const presence = nodePresence({ proc })
      expect(await presence.self()).toMatch(/\.$/)
      expect(await presence.alive(await nodePresence().self())).toBeUndefined()
      await rm(proc, { recursive: true })
    })

    it('nothing is known without a boot id', async () => {
      const presence = nodePresence({ proc: '/nonexistent' })
      expect(await presence.alive(await presence.self())).toBeUndefined()
      expect(await presence.alive(await nodePresence().self())).toBeUndefined()
    })
  })
})

describe('another process elsewhere', () => {
  const presence = nodePresence({ platform: 'darwin' })
  const other = async (pid: number, machine?: string): Promise<string> => {
    const parts = (await presence.self()).split('.')
    return [parts[0], machine ?? parts[1], parts[2], pid, '1'].join('.')
  }

  it('is known to be gone, never to be there', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 30_000)'])
    children.push(child)
    const name = await other(child.pid!)
    expect(await presence.alive(name)).toBeUndefined()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await presence.alive(name)).toBe(false)
  })

  it('is not known on another machine, and this process is alive', async () => {
    expect(await presence.alive(await other(4_000_000, 'x'.repeat(22)))).toBeUndefined()
    expect(await presence.alive(await presence.self())).toBe(true)
  })
})
