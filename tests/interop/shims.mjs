// What js-libp2p expects of newer versions of Node than Debian 12's (18). To be imported before it.
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto // 20

globalThis.CustomEvent ??= class CustomEvent extends Event { // 19
  constructor (type, options) {
    super(type, options)
    this.detail = options?.detail ?? null
  }
}

Promise.withResolvers ??= function () { // 22
  let resolve, reject
  const promise = new Promise((...both) => { [resolve, reject] = both })
  return { promise, resolve, reject }
}
