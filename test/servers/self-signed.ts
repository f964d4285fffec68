import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** Of nobody: made for this file, for localhost and 127.0.0.1, and signed by itself. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT4tbJ2DlzRqa4Gbm
ZP3PWYlJyY0sqwhkbAWP5Pr+etehRANCAASgM+HH56ZaGwtXX9XOlKQdsPRYDgkt
VwbB1iL3Xv+apekgUZY/5EKIOyN7sHKqPug6R2s+RplJ7ud7u0Ao8bNl
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUQHLlihJggkwtEkMVc3t34poMFtMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEyMzA0MloYDzIxMjYxMDI4
MTIzMDQyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASgM+HH56ZaGwtXX9XOlKQdsPRYDgktVwbB1iL3Xv+apekgUZY/5EKI
OyN7sHKqPug6R2s+RplJ7ud7u0Ao8bNlo28wbTAdBgNVHQ4EFgQUVcYWIOCNJyrs
gLGGypM1PRIUK64wHwYDVR0jBBgwFoAUVcYWIOCNJyrsgLGGypM1PRIUK64wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAOHvvue/DwQ7hQOcDM32XvModpHGZ5Rvoy8vidxQPsO/AiAb
BI256VYDd2b2qFL3VLwMyHu2s3Qxnot7YNgF7xHmiQ==
-----END CERTIFICATE-----`

/** An https server on loopback whose certificate nobody has reason to trust. */
export interface SelfSignedServer extends AsyncDisposable {
  readonly origin: string
  /** How many requests have come through. */
  readonly requests: number
}

/** Starts one that answers everything with an empty JSON object. */
export async function startSelfSignedServer(): Promise<SelfSignedServer> {
  let requests = 0
  const server = createServer({ key, cert }, (_request, response) => {
    requests++
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}
