// gigi/impl/src.hpp: all of gigi that is not a template, for the one source file that a program has of it.
//
// Where GIGI_SEPARATE_COMPILATION is defined, headers only declare: see core/config.hpp. CMake's target gigi::compiled does all of this.
#pragma once

#ifndef GIGI_SEPARATE_COMPILATION
#error "define GIGI_SEPARATE_COMPILATION for every source file of the program, or include no gigi/impl/src.hpp"
#endif

#if defined(__GNUC__) && !defined(__clang__) // warns of every variable of a coroutine whose type is local to it, in a header only
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

#include "../core/impl/bytes.ipp"
#include "../core/impl/clock.ipp"
#include "../core/impl/condition.ipp"
#include "../core/impl/error.ipp"
#include "../core/impl/file_io.ipp"
#include "../core/impl/file_io_windows.ipp"
#include "../core/impl/log.ipp"
#include "../core/impl/task_group.ipp"
#include "../core/impl/text.ipp"
#include "../core/impl/varint.ipp"

#include "../codec/impl/archive.ipp"
#include "../codec/impl/frame.ipp"
#include "../codec/impl/json.ipp"
#include "../codec/impl/protobuf.ipp"

#include "../crypto/impl/aead.ipp"
#include "../crypto/impl/der.ipp"
#include "../crypto/impl/hash.ipp"
#include "../crypto/impl/key.ipp"
#include "../crypto/impl/random.ipp"
#include "../crypto/impl/x25519.ipp"

#include "../peer/impl/identity.ipp"
#include "../peer/impl/multiaddr.ipp"
#include "../peer/impl/multibase.ipp"
#include "../peer/impl/nickname.ipp"
#include "../peer/impl/peer_id.ipp"
#include "../peer/impl/peer_record.ipp"
#include "../peer/impl/peer_store.ipp"
#include "../peer/impl/public_key.ipp"
#include "../peer/impl/signed_envelope.ipp"

#include "../transport/impl/interfaces.ipp"
#include "../transport/impl/memory.ipp"
#include "../transport/impl/tcp.ipp"

#include "../security/impl/noise_handshake.ipp"
#include "../security/impl/noise_xx.ipp"

#include "../mux/impl/byte_queue.ipp"
#include "../mux/impl/muxer.ipp"
#include "../mux/impl/yamux_connection.ipp"
#include "../mux/impl/yamux_frame.ipp"
#include "../mux/impl/yamux_session.ipp"

#include "../link/impl/connection.ipp"
#include "../link/impl/dial_race.ipp"
#include "../link/impl/inbound_limits.ipp"
#include "../link/impl/lazy_stream.ipp"
#include "../link/impl/multistream.ipp"
#include "../link/impl/protocol_handlers.ipp"
#include "../link/impl/receive_budget.ipp"
#include "../link/impl/swarm.ipp"

#include "../protocol/impl/identify.ipp"
#include "../protocol/impl/ping.ipp"
#include "../protocol/impl/protocol.ipp"

#include "../discovery/impl/dns_message.ipp"
#include "../discovery/impl/dns_name.ipp"
#include "../discovery/impl/mdns.ipp"
#include "../discovery/impl/mdns_core.ipp"
#include "../discovery/impl/mdns_peers.ipp"
#include "../discovery/impl/mdns_records.ipp"
#include "../discovery/impl/multicast_socket.ipp"

#include "../gossip/impl/backoff.ipp"
#include "../gossip/impl/gossip.ipp"
#include "../gossip/impl/id_style.ipp"
#include "../gossip/impl/mesh.ipp"
#include "../gossip/impl/mesh_heartbeat.ipp"
#include "../gossip/impl/mesh_inputs.ipp"
#include "../gossip/impl/message.ipp"
#include "../gossip/impl/message_cache.ipp"
#include "../gossip/impl/peer_link.ipp"
#include "../gossip/impl/promises.ipp"
#include "../gossip/impl/replay_guard.ipp"
#include "../gossip/impl/rpc.ipp"
#include "../gossip/impl/send_queue.ipp"

#include "../file/impl/chunk_store.ipp"
#include "../file/impl/chunker.ipp"
#include "../file/impl/hash_cache.ipp"
#include "../file/impl/journal.ipp"
#include "../file/impl/merkle.ipp"
#include "../file/impl/messages.ipp"
#include "../file/impl/output_file.ipp"
#include "../file/impl/rate_limiter.ipp"
#include "../file/impl/safe_name.ipp"
#include "../file/impl/share_code.ipp"
#include "../file/impl/share_list.ipp"
#include "../file/impl/shared_files.ipp"
#include "../file/impl/transfer.ipp"

#include "../node/impl/event.ipp"
#include "../node/impl/event_hub.ipp"
#include "../node/impl/file_sharing.ipp"
#include "../node/impl/groups.ipp"
#include "../node/impl/messenger.ipp"
#include "../node/impl/node_core.ipp"
#include "../node/impl/people.ipp"
#include "../node/impl/presence.ipp"
#include "../node/impl/received_file.ipp"
#include "../node/impl/redial.ipp"
#include "../node/impl/stack.ipp"
#include "../node/impl/store_file.ipp"

#include "node.ipp"

#include "../testing/impl/hostile_bytes.ipp"
#include "../testing/impl/interruption.ipp"
#include "../testing/impl/memory_host.ipp"
#include "../testing/impl/memory_stack.ipp"
#include "../testing/impl/scripted_peer.ipp"
#include "../testing/impl/simulation.ipp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
