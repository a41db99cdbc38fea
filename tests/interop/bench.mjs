// js-libp2p's figures for tests/bench/run: between two processes, over Noise and yamux as gigi's. Prints rows as link_bench does.
import './shims.mjs'
import { fork } from 'node:child_process'
import { createLibp2p } from 'libp2p'
import { tcp } from '@libp2p/tcp'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { identify } from '@libp2p/identify'
import { multiaddr } from '@multiformats/multiaddr'

const node = await createLibp2p({
  addresses: { listen: process.send ? ['/ip4/127.0.0.1/tcp/0'] : [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify() }
})
const bytesOf = (chunk) => (chunk.subarray ? chunk.subarray() : chunk)
const many = { maxInboundStreams: 1000, maxOutboundStreams: 1000 }

if (process.send) { // the server
  await node.handle('/bench/echo', async (stream) => {
    for await (const chunk of stream) if (!stream.send(bytesOf(chunk))) await stream.onDrain()
    await stream.close()
  }, many)
  await node.handle('/bench/sink', async (stream) => {
    for await (const chunk of stream) void chunk
    stream.send(new Uint8Array(1))
    await stream.close()
  }, many)
  process.send(node.getMultiaddrs()[0].toString())
  process.on('disconnect', () => process.exit(0))
} else {
  const where = process.argv[2] ?? 'free'
  const server = fork(process.argv[1])
  const address = multiaddr(await new Promise((resolve) => server.once('message', resolve)))
  const row = (what, value, unit) => console.log(`${where}, ${what}`.padEnd(58) + ' ' + value.toFixed(1).padStart(12) + '  ' + unit)
  const median = (all) => all.sort((a, b) => a - b)[all.length >> 1]
  const timed = async (count, what) => {
    const times = []
    for (let i = 0; i < count; ++i) {
      const start = process.hrtime.bigint()
      await what()
      times.push(Number(process.hrtime.bigint() - start) / 1000)
    }
    return median(times)
  }
  await node.dial(address)
  const message = new Uint8Array(64)

  const stream = await node.dialProtocol(address, '/bench/echo')
  const incoming = stream[Symbol.asyncIterator]()
  const trip = async () => {
    stream.send(message)
    for (let have = 0; have < message.length;) have += bytesOf((await incoming.next()).value).length
  }
  await timed(2000, trip)
  row('64 B round trip, js-libp2p stream', await timed(5000, trip), 'us')
  await stream.close()

  const request = async () => {
    const one = await node.dialProtocol(address, '/bench/echo')
    one.send(message)
    const answer = one[Symbol.asyncIterator]()
    for (let have = 0; have < message.length;) have += bytesOf((await answer.next()).value).length
    one.close().catch(() => {}) // beside the next one
  }
  await timed(500, request)
  row('64 B request and response, js-libp2p', await timed(2000, request), 'us')

  const mib = 256
  const piece = new Uint8Array(1 << 16)
  const sink = await node.dialProtocol(address, '/bench/sink')
  const start = process.hrtime.bigint()
  for (let i = 0; i < mib * 16; ++i) if (!sink.send(piece)) await sink.onDrain()
  await sink.close()
  for await (const chunk of sink) void chunk
  row('one bulk stream, js-libp2p', mib / (Number(process.hrtime.bigint() - start) / 1e9), 'MiB/s')
  server.disconnect()
  await node.stop()
}
