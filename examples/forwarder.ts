// A backend route that asks authorization servers in the name of a page which they do not let read their answers (CORS).
// An open one would be a hole into the network that it runs in, so it does what is listed and nothing else:
//
//   whom       scripts of its own origin; put it behind your own session too
//   where      URLs that are listed one by one, with their method: what a request names is looked up, never parsed
//   address    public ones, checked as the connection is made to them, so that no name leads elsewhere in between
//   out        a body of at most 64 KiB, its type out of two, no header, cookie or credential of the caller
//   back       at most 1 MiB within 10 s, no redirect, and nothing that a browser would run
//
// `npx tsx examples/forwarder.ts 8787 'GET https://as.example.com/.well-known/oauth-authorization-server' \
//    'POST https://as.example.com/register' 'POST https://as.example.com/token'`
// Its page asks http://127.0.0.1:8787/?url=<the URL>, with the method, type and body that are meant for it.

import { type LookupAddress, lookup } from 'node:dns'
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'
import { pathToFileURL } from 'node:url'

export interface ForwarderOptions {
  /** `<method> <URL>`, GET or POST, without a query: `POST https://as.example.com/token`. */
  readonly allow: readonly string[]
  /** Addresses that it may connect to although they are not public. Default: none. */
  readonly allowAddresses?: readonly string[]
  /** How long one request may take, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number
}

/** A request that is not forwarded. 4xx: nothing was sent. 5xx: perhaps something was. */
class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const LARGEST_REQUEST = 65_536
const LARGEST_ANSWER = 1_048_576
const REQUEST_TYPE = /^application\/(json|x-www-form-urlencoded)(;\s*charset=utf-8)?$/i
/** Types that no browser takes for a page or a script; a token response of some servers is form-encoded. */
const ANSWER_TYPE = /^application\/(json|x-www-form-urlencoded)(?=;|\s|$)/i

/** Serves the route; anything else of the backend stands before it. @throws TypeError where `allow` is not understood */
export function createForwarder({ allow, allowAddresses = [], timeoutMs = 10_000 }: ForwarderOptions): RequestListener {
  const targets = new Map(allow.map((line) => [line, targetOf(line)]))
  const mayConnect = (address: string): boolean => allowAddresses.includes(address) || !internal(address)

  return (request, response) => {
    const answer = (status: number, body: string | Buffer, headers: Record<string, string> = {}): void => {
      response.writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        ...headers,
        // Whoever gets a browser to open this has opened a text.
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'same-origin',
        connection: 'close',
      })
      response.end(body)
    }
    const forward = async (): Promise<void> => {
      const { method = '' } = request
      // Browsers send it, and no script can change it (Fetch Metadata). A page that is opened is no script of ours.
      if (request.headers['sec-fetch-site'] !== 'same-origin' || request.headers['sec-fetch-mode'] === 'navigate') {
        throw new Refused(403, 'Only for scripts of this origin.')
      }
      const asked = new URL(request.url ?? '', 'http://forwarder.invalid').searchParams.getAll('url')
      const target = targets.get(`${method} ${asked[0]}`)
      if (target === undefined || asked.length !== 1) throw new Refused(403, 'Not on the list.')
      const type = request.headers['content-type'] ?? ''
      if (method === 'POST' && !REQUEST_TYPE.test(type)) throw new Refused(415, 'JSON or a form.')
      const body = await read(request, LARGEST_REQUEST, new Refused(413, 'Too large.'))
      if (method === 'GET' && body.length > 0) throw new Refused(400, 'A GET with a body.')
      const { status, headers, text } = await ask(
        method,
        target,
        method === 'POST' ? { type, body } : undefined,
        mayConnect,
        AbortSignal.timeout(timeoutMs),
      )
      answer(status, text, headers)
    }
    forward().catch((error: unknown) => {
      const refused = error instanceof Refused ? error : new Refused(502, 'No answer.')
      answer(refused.status, refused.message)
    })
  }
}

function targetOf(line: string): URL {
  const [, url = ''] = /^(?:GET|POST) (\S+)$/.exec(line) ?? []
  const target = new URL(url)
  // Written as it is sent, so that the list can be read by a person.
  const plain = target.href === url && !target.search && !target.username && !target.password && !target.hash
  const scheme =
    target.protocol === 'https:' ||
    (target.protocol === 'http:' && /^(127\.[\d.]+|\[::1\]|localhost)$/.test(target.hostname))
  if (plain && scheme) return target
  throw new TypeError(`Expected "GET" or "POST", and an https URL without query, as the platform writes it: ${line}`)
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: Buffer
}

/** One request, on a connection of its own. */
async function ask(
  method: string,
  target: URL,
  sent: { readonly type: string; readonly body: Buffer } | undefined,
  mayConnect: (address: string) => boolean,
  signal: AbortSignal,
): Promise<Answer> {
  // A literal address is never looked up.
  const literal = target.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) && !mayConnect(literal)) throw new Refused(403, 'Not a public address.')
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, {
      method,
      agent: false,
      lookup: checkedLookup(mayConnect),
      signal,
      maxHeaderSize: 16_384,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...(sent && { 'content-type': sent.type, 'content-length': sent.body.length }),
      },
    })
    request.on('response', resolve).on('error', reject).end(sent?.body)
  })
  const { statusCode: status = 502, headers } = incoming
  const kept = async (): Promise<Answer> => {
    if (status >= 300 && status < 400) throw new Refused(502, 'A redirect.')
    if (!['identity', undefined].includes(headers['content-encoding'])) throw new Refused(502, 'An encoding.')
    const text = await read(incoming, LARGEST_ANSWER, new Refused(502, 'Too large an answer.'))
    const [type] = ANSWER_TYPE.exec(headers['content-type'] ?? '') ?? []
    const passed = ['cache-control', 'retry-after'].flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    })
    return { status, text, headers: { ...Object.fromEntries(passed), ...(type && { 'content-type': type }) } }
  }
  return kept().finally(() => incoming.destroy())
}

async function read(stream: IncomingMessage, most: number, tooLarge: Refused): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  // What is too large is not read to its end, and whoever sent it still gets an answer.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > most) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What the socket asks for its address: the one that is checked is the one that is connected to. */
const checkedLookup =
  (mayConnect: (address: string) => boolean): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, [])
      // All of them: a name with one internal address is no public server.
      if (addresses.some(({ address }) => !mayConnect(address))) {
        return callback(new Refused(403, 'Not a public address.'), [])
      }
      const [first] = addresses
      if (options.all || first === undefined) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/** The special-purpose registries of IANA, and what carries an IPv4 address in it. */
const INTERNAL = new BlockList()
for (const range of [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24',
  '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  '::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7',
  'fe80::/10 fec0::/10 ff00::/8',
].flatMap((line) => line.split(' '))) {
  const [net = '', prefix] = range.split('/')
  INTERNAL.addSubnet(net, Number(prefix), isIPv6(net) ? 'ipv6' : 'ipv4')
}

const internal = (address: string): boolean => INTERNAL.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [port, ...allow] = process.argv.slice(2)
  const allowAddresses = (process.env.ALLOW_ADDRESSES ?? '').split(' ').filter(Boolean)
  const timeoutMs = Number(process.env.TIMEOUT_MS ?? 10_000)
  const server = createServer({ requestTimeout: 10_000 }, createForwarder({ allow, allowAddresses, timeoutMs }))
  server.listen(Number(port ?? 8787), '127.0.0.1', () => console.log('listening on', server.address()))
}
