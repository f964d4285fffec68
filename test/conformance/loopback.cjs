// The suite listens on every interface. Preloaded into its process, and not into the client's, this keeps it on loopback.
const { Server } = require('node:net')

const listen = Server.prototype._listen2
Server.prototype._listen2 = function (address, port, addressType, ...rest) {
  const everywhere = address === null || address === undefined || address === '::' || address === '0.0.0.0'
  return everywhere
    ? listen.call(this, '127.0.0.1', port, 4, ...rest)
    : listen.call(this, address, port, addressType, ...rest)
}
