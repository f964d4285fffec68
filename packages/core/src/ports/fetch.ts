/** The shape of the platform's `fetch`, and of the `fetch` option that MCP clients take. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>
