import { Module, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

// Which files a program loads. Argument: its path. Prints their URLs, and `fetch` where Node's own has been loaded too.

const hook = `
  let told
  export const initialize = (port) => { told = port }
  export const load = (url, context, next) => { told.postMessage(url); return next(url, context) }`

const { port1, port2 } = new MessageChannel()
register(`data:text/javascript,${encodeURIComponent(hook)}`, { data: port2, transferList: [port2] })

const program = pathToFileURL(process.argv[2] ?? '').href
// The program prints something itself.
const write = process.stdout.write.bind(process.stdout)
process.stdout.write = () => true
await import(program)

const loaded = new Set<string>()
for (let told = receiveMessageOnPort(port1); told !== undefined; told = receiveMessageOnPort(port1)) {
  loaded.add(told.message)
}
// What was required by what was imported does not come past the hook.
for (const path of Object.keys((Module as unknown as { _cache: object })._cache)) loaded.add(pathToFileURL(path).href)
loaded.delete(program)
const files = [...loaded].filter((url) => url.startsWith('file:') && url !== import.meta.url)
const builtIn = (process as unknown as { moduleLoadList: string[] }).moduleLoadList
if (builtIn.includes('NativeModule internal/deps/undici/undici')) files.push('fetch')
write(JSON.stringify(files))
port1.close()
