import { createHash, randomBytes } from 'node:crypto'
import type { KeychainEntries } from './keychain-entries.js'
import { untrue } from './keychain-failure.js'

/** A value that is cut into parts: its head says how many, and what they add up to. */
interface Head {
  readonly id: string
  readonly parts: number
  readonly digest: string
}

/** Half of the 2,560 bytes that Windows allows, because it counts in UTF-16; less a little. */
export const WINDOWS_LIMIT = 1_200

export type Whole = { readonly text: string } | { readonly damaged: string }

/**
 * ASCII texts in a keychain, cut where an entry may hold only so much: `=text`, or `+` and a head. The parts of a new text
 * have names of their own and are written first, so that the old text stays whole until the head is replaced.
 */
export class KeychainValues {
  readonly #entries: KeychainEntries
  readonly #limit: number

  constructor(entries: KeychainEntries, limit: number) {
    this.#entries = entries
    this.#limit = limit
  }

  /** @returns the text, if the entry holds all of it; `'parts'` means that it has to be read under the lock */
  async readAtOnce(account: string): Promise<Whole | 'parts' | undefined> {
    const entry = await this.#entries.read(account)
    return entry?.startsWith('+') ? 'parts' : entry === undefined ? undefined : whole(entry)
  }

  async read(account: string): Promise<Whole | undefined> {
    const entry = await this.#entries.read(account)
    const head = headOf(entry)
    if (entry === undefined || head === undefined) return entry === undefined ? undefined : whole(entry)
    let text = ''
    for (let part = 0; part < head.parts; part++) text += (await this.#entries.read(partOf(account, head, part))) ?? ''
    return digest(text) === head.digest ? { text } : { damaged: entry }
  }

  /** Under the lock. What was cut is read back before it counts. */
  async write(account: string, text: string): Promise<void> {
    const before = this.#limit === Infinity ? undefined : headOf(await this.#entries.read(account))
    if (text.length < this.#limit) await this.#entries.write(account, `=${text}`)
    else await this.#writeParts(account, text)
    await this.#removeParts(account, before)
  }

  /** Under the lock. */
  async remove(account: string): Promise<void> {
    const head = headOf(await this.#entries.read(account))
    await this.#entries.remove(account)
    await this.#removeParts(account, head)
  }

  async #writeParts(account: string, text: string): Promise<void> {
    const parts = Math.ceil(text.length / this.#limit)
    const head: Head = { id: randomBytes(6).toString('hex'), parts, digest: digest(text) }
    try {
      let back = ''
      for (let part = 0; part < parts; part++) {
        const name = partOf(account, head, part)
        await this.#entries.write(name, text.slice(part * this.#limit, (part + 1) * this.#limit))
        back += (await this.#entries.read(name)) ?? ''
      }
      if (back !== text) throw untrue(this.#entries.name, `${back.length} of ${text.length} characters`)
    } catch (error) {
      await this.#removeParts(account, head).catch(() => undefined)
      throw error
    }
    const entry = `+${JSON.stringify(head)}`
    await this.#entries.write(account, entry)
    const found = await this.#entries.read(account)
    if (found !== entry) throw untrue(this.#entries.name, 'something else')
  }

  async #removeParts(account: string, head: Head | undefined): Promise<void> {
    for (let part = 0; part < (head?.parts ?? 0); part++) {
      await this.#entries.remove(partOf(account, head as Head, part))
    }
  }
}

const partOf = (account: string, { id }: Head, part: number): string => `${account}.${id}.${part}`

const whole = (entry: string): Whole => (entry.startsWith('=') ? { text: entry.slice(1) } : { damaged: entry })

function headOf(entry: string | undefined): Head | undefined {
  if (!entry?.startsWith('+')) return undefined
  try {
    const head: Head = JSON.parse(entry.slice(1))
    return Number.isSafeInteger(head.parts) && head.parts < 10_000 ? head : undefined
  } catch {
    // Not written by us: it is told of as damaged.
    return undefined
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')
