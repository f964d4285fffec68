import type { KeychainValues } from './keychain-values.js'

const ACCOUNT = 'index'

/**
 * The keys of the records that are in the keychain, because a keychain cannot be listed without reading every secret. It
 * holds no secret itself.
 *
 * A key is listed before its record is written, and taken off after the record is gone: whoever is killed in between leaves
 * a key too many, which is found out when it is looked up. All methods but `list` are to be called under the lock.
 */
export class KeychainIndex {
  readonly #values: KeychainValues
  /** As last read: key, and when its record expires (0: never), which is a hint for tidying up alone. */
  #known = new Map<string, number>()

  constructor(values: KeychainValues) {
    this.#values = values
  }

  /** @returns undefined where there is no index that can be read */
  async list(): Promise<ReadonlyMap<string, number> | undefined> {
    const found = await this.#values.read(ACCOUNT)
    const listed = found && 'text' in found ? parse(found.text) : undefined
    this.#known = new Map(listed)
    return listed
  }

  /** Whether it was listed when the index was last read. */
  has(key: string): boolean {
    return this.#known.has(key)
  }

  /** @param there - whether the record was there before: then, what this process has seen listed still is */
  async add(key: string, expiresAt: number, there: boolean): Promise<void> {
    const fits = (): boolean => this.#known.has(key) && (expiresAt === 0 || this.#known.get(key) !== 0)
    if (there && fits()) return
    await this.list()
    if (fits()) return
    this.#known.set(key, expiresAt)
    await this.#write()
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.list()
    const gone = keys.filter((key) => this.#known.delete(key))
    if (gone.length > 0) await this.#write()
  }

  async #write(): Promise<void> {
    const text = JSON.stringify({ format: 1, keys: [...this.#known] })
    await this.#values.write(ACCOUNT, ascii(text))
  }
}

/** Keychains count in bytes, in UTF-16, or end at a NUL: none of it matters to ASCII. */
export const ascii = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

function parse(text: string): ReadonlyMap<string, number> | undefined {
  try {
    const { keys } = JSON.parse(text)
    const entries: [string, number][] = []
    for (const [key, expiresAt] of keys) if (typeof key === 'string') entries.push([key, Number(expiresAt) || 0])
    return new Map(entries)
  } catch {
    // Damaged: every record that is written from now on is listed again.
    return undefined
  }
}
