// A js-libp2p node with @libp2p/mdns, for mdns_test.py: mdns_peer.mjs SECONDS
// Prints `id ID`, and `found ID ADDRESS…` for each discovery. Read from standard input by node, in the folder with the packages.
import './shims.mjs'
import { createLibp2p } from 'libp2p'
import { tcp } from '@libp2p/tcp'
import { mdns } from '@libp2p/mdns'

const node = await createLibp2p({
  addresses: { listen: ['/ip4/0.0.0.0/tcp/0'] },
  transports: [tcp()],
  peerDiscovery: [mdns({ interval: 2000 })],
  start: false
})
const found = new Map()
node.addEventListener('peer:discovery', ({ detail }) => {
  const line = `found ${detail.id} ${detail.multiaddrs.join(' ')}`
  if (found.get(`${detail.id}`) !== line) console.log(line)
  found.set(`${detail.id}`, line)
})
console.log(`id ${node.peerId}`)
await node.start()
setTimeout(() => process.exit(0), 1000 * Number(process.argv[2]))
