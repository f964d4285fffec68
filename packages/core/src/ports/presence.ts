/** Who this process or tab is, and whether another that wrote its name into a lease is still there. */
export interface Presence {
  /** A name that no other process, and no later process with the same id, has. */
  self(): Promise<string>
  /** `undefined` where it cannot be known: another machine, another process namespace. */
  alive(holder: string): Promise<boolean | undefined>
}
