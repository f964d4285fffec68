// The same page in React. `useSyncExternalStore` takes the three methods of a connection as they are; on a server, and until the
// page has been hydrated, the snapshot is `restoring`.

import type { Connection } from '@countersign/browser'
import { type ReactNode, useState, useSyncExternalStore } from 'react'
import { callTool, labels, listTools, messageOf, type Tool } from './host.js'

export interface Shown {
  readonly name: string
  readonly connection: Connection
}

export function App({ servers }: { readonly servers: readonly Shown[] }): ReactNode {
  return servers.map(({ name, connection }) => <Card key={connection.url} name={name} connection={connection} />)
}

function Card({ name, connection }: Shown): ReactNode {
  // #region react
  const { subscribe, getSnapshot, getServerSnapshot } = connection
  const { status, scope } = useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot)
  // #endregion
  const [tools, setTools] = useState<readonly Tool[]>([])
  const [said, setSaid] = useState({ text: '', failed: false })
  const attempt = (work: () => Promise<unknown>): void => {
    setSaid({ text: '', failed: false })
    work().catch((error: unknown) => setSaid({ text: messageOf(error), failed: true }))
  }
  const call = async (tool: string, form: FormData): Promise<void> => {
    setSaid({ text: await callTool(connection, tool, form), failed: false })
  }
  return (
    <article data-status={status}>
      <header>
        <h2>{name}</h2>
        <span className="status" role="status">
          {labels[status]}
        </span>
      </header>
      <p className="where">
        <code>{connection.url}</code> <span className="scope">{scope}</span>
      </p>
      <p className="actions">
        {/* In the click itself, before anything is awaited: the browser would block the popup otherwise. */}
        <button
          type="button"
          className="sign-in"
          disabled={status === 'signing_in' || status === 'restoring'}
          onClick={() => attempt(() => connection.authorize())}
        >
          Sign in
        </button>
        <button
          type="button"
          className="list-tools"
          onClick={() => attempt(() => listTools(connection).then(setTools))}
        >
          Tools
        </button>
        <button type="button" className="sign-out" onClick={() => attempt(() => connection.signOut())}>
          Sign out
        </button>
      </p>
      <ul>
        {status !== 'signed_out' &&
          tools.map((tool) => (
            <ToolRow key={tool.name} {...tool} call={(form) => attempt(() => call(tool.name, form))} />
          ))}
      </ul>
      <output className={said.failed ? 'failed' : undefined}>{said.text}</output>
    </article>
  )
}

function ToolRow({ name, description, fields, call }: Tool & { readonly call: (form: FormData) => void }): ReactNode {
  return (
    <li>
      <div>
        <strong>{name}</strong>
        <span>{description}</span>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          call(new FormData(event.currentTarget))
        }}
      >
        {fields.map((field) => (
          <input key={field} name={field} placeholder={field} aria-label={field} required />
        ))}
        <button type="submit">Call</button>
      </form>
    </li>
  )
}
