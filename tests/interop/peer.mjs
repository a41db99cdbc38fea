// A js-libp2p node for gigi's tests: commands on stdin, one a line; answers and events on stdout, one JSON object a line.
import './shims.mjs'
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createLibp2p } from 'libp2p'
import { tcp } from '@libp2p/tcp'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { identify, identifyPush } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { gossipsub } from '@libp2p/gossipsub'
import { multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: {
    identify: identify(), identifyPush: identifyPush(), ping: ping(),
    pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, globalSignaturePolicy: 'StrictSign' })
  }
})

const bytesOf = (chunk) => (chunk.subarray ? chunk.subarray() : chunk)

/** Sends with back-pressure. */
async function send (stream, data) {
  for (let at = 0; at < data.length; at += 65536) {
    if (!stream.send(data.subarray(at, at + 65536))) await stream.onDrain()
  }
}

async function readAll (stream) {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of stream) {
    const data = bytesOf(chunk)
    hash.update(data)
    size += data.length
  }
  return { size, sha256: hash.digest('hex') }
}

const serving = { maxInboundStreams: 256, maxOutboundStreams: 256 }

// Sends back what comes, until the other side ends; then ends too.
await node.handle('/echo/1.0.0', async (stream) => {
  for await (const chunk of stream) await send(stream, bytesOf(chunk))
  await stream.close()
}, serving)

// Reads to the end, then says what it read.
await node.handle('/sink/1.0.0', async (stream) => {
  const got = await readAll(stream)
  stream.send(new TextEncoder().encode(JSON.stringify(got)))
  await stream.close()
}, serving)

// Sends as many bytes as a decimal number asks for.
await node.handle('/source/1.0.0', async (stream) => {
  let text = ''
  for await (const chunk of stream) text += Buffer.from(bytesOf(chunk)).toString()
  const hash = createHash('sha256')
  let left = parseInt(text)
  while (left > 0) {
    const piece = randomBytes(Math.min(left, 1 << 20))
    hash.update(piece)
    left -= piece.length
    await send(stream, piece)
  }
  say({ event: 'sourced', sha256: hash.digest('hex') })
  await stream.close()
}, serving)

// Resets as soon as something has come.
await node.handle('/reset/1.0.0', async (stream) => {
  for await (const chunk of stream) {
    stream.abort(new Error('as asked'))
    return chunk
  }
}, serving)

node.addEventListener('peer:connect', (e) => say({ event: 'connected', peer: e.detail.toString() }))
node.addEventListener('peer:disconnect', (e) => say({ event: 'disconnected', peer: e.detail.toString() }))
node.addEventListener('peer:identify', (e) => say({
  event: 'identified', peer: e.detail.peerId.toString(), agent: e.detail.agentVersion, protocols: e.detail.protocols,
  addresses: e.detail.listenAddrs.map(String), signed: e.detail.signedPeerRecord != null
}))
node.services.pubsub.addEventListener('message', (e) => {
  const m = e.detail
  say({ event: 'message', topic: m.topic, from: m.from?.toString(), text: Buffer.from(m.data).toString(), signed: m.type === 'signed' })
})

const target = (text) => (text.startsWith('/') ? multiaddr(text) : peerIdFromString(text))

const commands = {
  async dial (address) { return { peer: (await node.dial(target(address))).remotePeer.toString() } },
  async ping (peer) { return { ms: await node.services.ping.ping(target(peer)) } },
  async echo (peer, size) {
    const data = randomBytes(parseInt(size))
    const stream = await node.dialProtocol(target(peer), '/echo/1.0.0')
    const back = readAll(stream)
    await send(stream, data)
    await stream.close()
    const got = await back
    return { same: got.size === data.length && got.sha256 === createHash('sha256').update(data).digest('hex') }
  },
  async many (peer, count) {
    const results = await Promise.all(Array.from({ length: parseInt(count) }, () => commands.echo(peer, '1000')))
    return { same: results.filter((r) => r.same).length }
  },
  async sink (peer, size) {
    const data = randomBytes(parseInt(size))
    const stream = await node.dialProtocol(target(peer), '/sink/1.0.0')
    const answer = (async () => {
      let text = ''
      for await (const chunk of stream) text += Buffer.from(bytesOf(chunk)).toString()
      return JSON.parse(text)
    })()
    await send(stream, data)
    await stream.close()
    const got = await answer
    return { same: got.size === data.length && got.sha256 === createHash('sha256').update(data).digest('hex') }
  },
  async source (peer, size) {
    const stream = await node.dialProtocol(target(peer), '/source/1.0.0')
    const got = readAll(stream)
    await send(stream, new TextEncoder().encode(size))
    await stream.close()
    return await got
  },
  async reset (peer) {
    const stream = await node.dialProtocol(target(peer), '/reset/1.0.0')
    stream.send(new Uint8Array([1]))
    try {
      for await (const chunk of stream) void chunk
      return { reset: stream.status === 'reset' || stream.status === 'aborted', status: stream.status }
    } catch (e) {
      return { reset: true, error: e.name }
    }
  },
  async unknown (peer) {
    try {
      await node.dialProtocol(target(peer), '/nobody/serves/this/1.0.0')
      return { refused: false }
    } catch (e) {
      return { refused: true, error: e.name }
    }
  },
  async subscribe (topic) { node.services.pubsub.subscribe(topic); return {} },
  async unsubscribe (topic) { node.services.pubsub.unsubscribe(topic); return {} },
  async publish (topic, ...words) {
    const sent = await node.services.pubsub.publish(topic, new TextEncoder().encode(words.join(' ')))
    return { recipients: sent.recipients.length }
  },
  async subscribers (topic) { return { peers: node.services.pubsub.getSubscribers(topic).map(String) } },
  async mesh (topic) { return { peers: node.services.pubsub.getMeshPeers(topic) } },
  async peers () { return { peers: node.getPeers().map(String), connections: node.getConnections().length } },
  async hangup (peer) { await node.hangUp(target(peer)); return {} },
  async stop () { await node.stop(); setTimeout(() => process.exit(0), 50); return {} }
}

say({ event: 'listening', peer: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) })

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [name, ...words] = line.trim().split(/\s+/)
  if (!name) return
  try {
    say({ command: name, ok: true, ...await commands[name](...words) })
  } catch (e) {
    say({ command: name, ok: false, error: `${e.name}: ${e.message}` })
  }
}).on('close', () => process.exit(0))
