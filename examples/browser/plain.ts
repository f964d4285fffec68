// A page without a framework: one card for each server, drawn anew whenever its snapshot changes.

import type { Connection } from '@countersign/browser'
import { callTool, connectorAt, type Listed, labels, listTools, messageOf } from './host.js'

const connector = connectorAt(location.origin)
const servers: readonly Listed[] = JSON.parse(document.querySelector('#servers')?.textContent ?? '[]')
document.querySelector('main')?.replaceChildren(...servers.map(card))

function card({ name, url }: Listed): Element {
  const connection = connector.connect(url)
  const root = cloneOf('card')
  const part = <E extends HTMLElement>(selector: string): E => root.querySelector<E>(selector)!
  const say = (text: string, failed = false): void => {
    part('output').textContent = text
    part('output').classList.toggle('failed', failed)
  }
  const attempt = (work: () => Promise<unknown>) => (): void => {
    say('')
    work().catch((error: unknown) => say(messageOf(error), true))
  }
  const draw = (): void => {
    const { status, scope } = connection.getSnapshot()
    root.setAttribute('data-status', status)
    part('.status').textContent = labels[status]
    part('.scope').textContent = scope ?? ''
    part<HTMLButtonElement>('.sign-in').disabled = status === 'signing_in' || status === 'restoring'
    if (status === 'signed_out') part('ul').replaceChildren()
  }
  part('h2').textContent = name
  part('code').textContent = url
  // In the click itself, before anything is awaited: the browser would block the popup otherwise.
  part('.sign-in').onclick = attempt(() => connection.authorize())
  part('.sign-out').onclick = attempt(() => connection.signOut())
  part('.list-tools').onclick = attempt(async () => {
    const tools = await listTools(connection)
    part('ul').replaceChildren(...tools.map((tool) => toolRow(connection, tool, attempt, say)))
  })
  connection.subscribe(draw)
  draw()
  return root
}

function toolRow(
  connection: Connection,
  { name, description, fields }: Awaited<ReturnType<typeof listTools>>[number],
  attempt: (work: () => Promise<unknown>) => () => void,
  say: (text: string) => void,
): Element {
  const row = cloneOf('tool')
  row.querySelector('strong')!.textContent = name
  row.querySelector('span')!.textContent = description
  const form = row.querySelector('form')!
  for (const field of fields) form.prepend(Object.assign(cloneOf('field'), { name: field, placeholder: field }))
  form.onsubmit = (event) => {
    event.preventDefault()
    attempt(async () => say(await callTool(connection, name, new FormData(form))))()
  }
  return row
}

function cloneOf(template: string): Element {
  const { content } = document.querySelector<HTMLTemplateElement>(`#${template}`)!
  return content.firstElementChild!.cloneNode(true) as Element
}
