import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'

/** The notes of every account, by subject. */
export type Notebook = Map<string, string[]>

/** The MCP server that the demo and the tests call: notes, each account's own. */
export function createNotesServer(notebook: Notebook): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })

  server.registerTool('list_notes', { description: 'Lists your notes' }, (extra) => {
    const notes = notebook.get(subjectOf(extra)) ?? []
    return text(notes.length === 0 ? 'No notes yet' : notes.join('\n'))
  })

  server.registerTool(
    'add_note',
    { description: 'Adds a note to yours', inputSchema: { text: z.string().min(1) } },
    ({ text: note }, extra) => {
      const subject = subjectOf(extra)
      notebook.set(subject, [...(notebook.get(subject) ?? []), note])
      return text(`Added: ${note}`)
    },
  )

  server.registerTool('whoami', { description: 'Says who the token says you are, and what you may do' }, (extra) =>
    text(`${subjectOf(extra)} (${extra.authInfo?.scopes.join(' ') || 'no scope'})`),
  )

  return server
}

function subjectOf(extra: { authInfo?: { extra?: Record<string, unknown> } }): string {
  return String(extra.authInfo?.extra?.subject)
}

function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] }
}
