/** A host as the bench drives it, whatever it has its logins from. What it keeps outlives its connects, as a store does a process. */
export interface Host extends AsyncDisposable {
  /**
   * Connects to an MCP server as a process that has just started: initialize, initialized and the GET stream, with a login where
   * one is needed.
   */
  connect(url: string): Promise<Session>
  /** Whether what the host keeps still holds a login that can be renewed, found out by renewing it. */
  keepsLogin(url: string): Promise<boolean>
}

/** A client that is connected. */
export interface Session {
  call(): Promise<unknown>
  close(): Promise<void>
}
