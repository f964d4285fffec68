/** A tab or a popup of either browser, as far as the tests of both go. */
export interface Tab {
  evaluate<R>(work: () => R | Promise<R>): Promise<R>
  evaluate<R, A>(work: (given: A) => R | Promise<R>, given: A): Promise<R>
  goto(url: string): Promise<unknown>
  reload(): Promise<unknown>
  url(): string
  click(selector: string): Promise<unknown>
  fill(selector: string, text: string): Promise<unknown>
  has(selector: string): Promise<boolean>
  /** Whether it comes within 5 s. */
  comes(selector: string): Promise<boolean>
  /** Resolves when the window has gone to another page, or is gone itself; after 5 s at most. */
  moves(): Promise<unknown>
  bringToFront(): Promise<unknown>
  isClosed(): boolean
  close(): Promise<unknown>
}

/** Tabs that share what is stored, and share it with no other test. */
export interface Windows {
  tab(): Promise<Tab>
  /** The window that is opened meanwhile. */
  popup(open: () => Promise<unknown>): Promise<Tab>
  close(): Promise<unknown>
}

/** A browser that runs. */
export interface Running {
  windows(): Promise<Windows>
  close(): Promise<unknown>
}

/** A browser that tests can run in. */
export interface Engine {
  readonly name: string
  readonly installed: boolean
  launch(): Promise<Running>
  /**
   * One with a profile in this directory, which stays.
   *
   * @param forgetful - it keeps no data for any page, by a setting of the person
   */
  inProfile(profile: string, forgetful?: boolean): Promise<Windows>
}
