"""The defences that tests/attacks/mutate takes out, one at a time, and the test that must fail then.

`edits` are pieces of code, each of which stands once in include/gigi, wherever it is moved to, and what stands there without
the defence (white space does not matter):
  drop("statement")            the statement is not executed
  swap("expression", "other")  another expression of the same type
  become("statement", "other") other statements
"""

from dataclasses import dataclass


@dataclass
class Edit:
    kind: str
    text: str
    other: str = ""


def drop(text):
    return Edit("drop", text)


def swap(text, other):
    """Of an expression without co_await: g++ 12 miscompiles a choice between two awaitables."""
    return Edit("swap", text, other)


def become(text, other):
    return Edit("become", text, other)


@dataclass
class Mutation:
    threat: str   # T1 …
    attack: str   # what the attacker does
    source: str   # of the test, below tests/
    case: str     # doctest's pattern for its name
    edits: list
    number: int = 0


def mutation(threat, attack, source, case, *edits):
    return Mutation(threat, attack, source, case, list(edits))


MUTATIONS = [
    # Framing and mux
    mutation("T1", "a length whose varint is padded, so that one number has several forms", "unit/core/varint_test.cpp", "T1*",
             drop("if (data[i] == 0 && i > 0) return {invalid, 0, 0};")),
    mutation("T1", "a frame of up to 2^63 bytes to any protocol", "attacks/mux_test.cpp", "T1, T2: framing*",
             drop("if (length.value > max_size) return errc::frame_too_large;"),
             drop("if (*wanted_ > max_size) throw error{make_error_code(errc::frame_too_large)};")),
    mutation("T1", "credit for a yamux stream that overflows 32 bits", "attacks/mux_test.cpp", "T1, T3: mux*",
             drop("if (header.length > std::numeric_limits<std::uint32_t>::max() - stream.send_credit) return fail(errc::protocol_violation);")),
    mutation("T2", "a frame that is said to be large, and of which little comes", "unit/codec/framed_test.cpp", "T2*",
             swap("std::min(*wanted_, std::max(first_step, arrived * 2))", "*wanted_")),
    mutation("T2", "frames of 2^62 bytes on every protocol of a node", "attacks/siege_test.cpp", "T2: siege*",
             drop("if (length.value > max_size) return errc::frame_too_large;"),
             drop("if (*wanted_ > max_size) throw error{make_error_code(errc::frame_too_large)};")),
    mutation("T2", "a Noise handshake message of 64 KiB", "attacks/handshake_test.cpp", "T2: handshake*",
             drop('if (size > max_handshake_message) throw error{errc::message_too_large, "noise handshake"};')),
    mutation("T2", "begins a frame of 64 KiB when it has sent much, and says nothing more", "unit/security/noise_test.cpp", "T2: noise: a frame takes*",
             swap("capacity_ > target * 2", "false")),
    mutation("T3", "data past a stream's window", "attacks/mux_test.cpp", "T1, T3: mux*",
             drop("if (header.length > stream.receive_credit) return fail(errc::flow_control);")),
    mutation("T3", "answers that we owe, to somebody who does not read them", "unit/mux/yamux_session_test.cpp", "*T3: frames that wait*",
             swap("control_.size() - control_next_ >= max_control", "false")),
    mutation("T3", "takes the answers that we owe one by one, and never all of them", "attacks/mux_test.cpp", "T3: mux: answers that are taken*",
             swap("(control_next_ >= max_control)", "(false)")),
    mutation("T3", "endless frames without effect: pings, empty updates, streams begun and aborted", "attacks/mux_test.cpp", "T3: mux: floods*",
             drop("if (++useless_ > max_useless) fail(errc::protocol_violation);")),
    mutation("T3", "streams whose ids lie in one chain of a hash table", "unit/mux/stream_table_test.cpp", "*T3: ids*",
             swap("secret ? secret | 1 : 0x9e3779b97f4a7c15u", "0x9e3779b97f4a7c15u")),
    mutation("T4", "100,000 streams asked for at once", "attacks/mux_test.cpp", "T4: mux: 100,000*",
             swap("unacknowledged_in_ >= options_.max_unacknowledged", "false")),
    mutation("T4", "100,000 streams asked of a node, each with its protocol", "attacks/siege_test.cpp", "T4: siege*",
             swap("unacknowledged_in_ >= options_.max_unacknowledged", "false"), swap("inbound_ >= options_.max_inbound_streams", "false"),
             swap("c->tasks.size() > options_.max_streams_per_peer", "false"), swap("in_flight >= options_.max_streams_per_protocol", "false")),
    mutation("T4", "more streams of one protocol than a peer may have", "unit/link/swarm_test.cpp", "T4: swarm*",
             swap("in_flight >= options_.max_streams_per_protocol", "false")),
    mutation("T4", "sends more on one connection than anybody reads", "unit/mux/yamux_session_test.cpp", "*T4: more unread*",
             swap("header.length > options_.max_buffered - std::min(buffered_, options_.max_buffered)", "false")),
    mutation("T4", "sends more on many connections than anybody reads", "unit/node/limits_links_test.cpp", "*what is received and not read*",
             swap("held <= options_.max_buffered", "true")),
    mutation("T4", "keeps streams open that have had their chunks", "unit/file/upload_test.cpp", "T4: upload: streams that have*",
             swap("!has_slot_ || reading_ || unsent_ > 0", "true")),
    mutation("T4", "asks for chunks on many streams, and reads none", "unit/file/upload_test.cpp", "T4: upload: of the slots*",
             swap("used >= most || has_share", "used >= most")),
    mutation("T4", "asks what a file is on many streams, to have it open as often", "unit/file/upload_test.cpp", "T4: upload: streams hold*",
             become("(void)co_await files_.open(share);", "co_await open(share);")),
    mutation("T4", "offers images without end, to block what was asked for", "unit/file/transfer_test.cpp", "T4, T26, T29*",
             swap("one.offered.has_value() == mine.offered.has_value()", "true")),
    mutation("T4", "many identities from one host", "attacks/mux_test.cpp", "T4: mux: many identities*",
             swap("here.handshakes + here.connections >= max_per_host_", "false")),
    mutation("T4", "a host with a new IPv6 address for each connection", "unit/link/swarm_limits_test.cpp", "T4, T29: *",
             swap('multiaddr::tcp(network, 0).ip_text() + "/64"', "remote.ip_text()")),
    mutation("T4", "many identities from many hosts, who do not answer a goodbye", "attacks/mux_test.cpp", "T4: mux: many identities*",
             swap("leaving >= std::max<std::size_t>(options_.max_connections / 8, 1)", "false")),
    mutation("T4", "ends and resets streams that nobody has read, to send as much again", "attacks/mux_test.cpp", "T2, T4, T5: mux*",
             swap("!s.received_.empty()", "false")),
    mutation("T5", "asks for data without end on many streams, and reads nothing", "attacks/mux_test.cpp", "T5: mux: a peer that asks*",
             swap("data.size() + outgoing_.size() > session.options().send_queue", "false")),
    mutation("T5", "asks a node for a file on 64 streams, and reads nothing", "attacks/siege_test.cpp", "T5: siege*",
             swap("used >= most || has_share", "used >= most")),
    mutation("T5", "takes nothing from the connection, but talks", "unit/mux/yamux_test.cpp", "*T29: a peer that takes nothing*",
             drop("if (now >= write_by) return abort_with(make_error_code(errc::timed_out));")),
    mutation("T5", "holds the window of a stream that we have done with", "unit/mux/yamux_test.cpp", "*T5: a dropped stream*",
             drop("set_deadline(connection_->clock_.now() + connection_->session_.options().linger);")),
    mutation("T5", "one stream that breaks its own rules, to end the others", "unit/mux/yamux_session_test.cpp", "*T5: data after FIN*",
             swap("abort_stream(stream, errc::protocol_violation, handler)", "fail(errc::protocol_violation)")),
    mutation("T5", "announces a large message for which there is no room, when gossip stops", "unit/gossip/gossip_test.cpp", "T5: a large frame*",
             drop("if (waiting) waiting->cancel();")),
    mutation("T5", "a member of a topic that does not read", "unit/gossip/send_queue_test.cpp", "T5*",
             drop("while (messages_.size() > max_messages_ || bytes_ > max_bytes_) { bytes_ -= cost(*messages_.front()); "
                  "messages_.pop_front(); ++messages_dropped_; }")),

    # Handshake and identity
    mutation("T7", "signs with another key, or not at all", "attacks/handshake_test.cpp", "T7: handshake: whoever*",
             drop("if (!key->verify(signed_bytes(static_key), signature)) return errc::bad_signature;")),
    mutation("T7", "changes a bit of the handshake on its way", "attacks/handshake_test.cpp", "T7: handshake: no bit*",
             swap("!chacha20_poly1305{*key_, false}.open(nonce_++, hash_, data, plain.data())",
                  "(chacha20_poly1305{*key_, false}.open(nonce_++, hash_, data, plain.data()), false)")),
    mutation("T7", "forges, alters or does not sign a message of a topic", "unit/gossip/message_test.cpp", "T7*",
             drop("if (!key->verify(signed_bytes(m), m.signature)) return errc::bad_signature;")),
    mutation("T7", "alters a signed record", "unit/peer/peer_record_test.cpp", "T7*",
             drop("if (!envelope.key.verify(signed_bytes(domain, envelope.payload_type, envelope.payload), signature)) return errc::bad_signature;")),
    mutation("T7", "identifies itself with another's key", "unit/link/swarm_test.cpp", "identify*",
             drop("if (!key || peer_id::from_public_key(*key) != peer) return errc::peer_mismatch;")),
    mutation("T8", "answers a dial that is meant for somebody else", "attacks/handshake_test.cpp", "T8*",
             drop("if (expected_ && *expected_ != remote_) return errc::peer_mismatch;")),
    mutation("T9", "an RSA key of 512 to 400,000 bits", "unit/crypto/key_test.cpp", "T9: RSA*",
             swap("bits < 2048 || bits > 4096", "false")),
    mutation("T10", "announces peers without end", "unit/peer/peer_store_test.cpp", "T10: peer_store: peers and addresses*",
             drop("if (!make_room(worth)) return nullptr;")),

    # Gossip
    mutation("T11", "subscribes to topics, and flaps", "unit/gossip/mesh_test.cpp", "T11*",
             swap("++p->changes > options_.max_subscription_changes", "false")),
    mutation("T12", "floods with IHAVE", "unit/gossip/mesh_test.cpp", "T12: IHAVE*",
             swap("++p.ihave_rpcs > options_.max_ihave_messages", "false")),
    mutation("T12", "grafts and leaves over and over, to be told of all cached messages each time", "unit/gossip/mesh_test.cpp", "T12: who grafts*",
             swap("p.announced.insert(topic).second", "true")),
    mutation("T13", "a PRUNE with a backoff of 2^64 seconds", "unit/gossip/backoff_test.cpp", "T13*",
             swap("seconds >= limit", "false")),
    mutation("T14", "prunes us, to have us banned for grafting again too early", "unit/gossip/mesh_test.cpp", "T14: after leaving*",
             swap("t.backoffs.forbids(p.id, now, options_.backoff_slack)", "false")),

    # mDNS
    mutation("T15", "announces an address of our own host, to have us dial our own services", "unit/discovery/mdns_core_test.cpp", "T15*",
             swap("!address.is_loopback() || is_own(from, link)", "true")),
    mutation("T15", "announces DNS names, to have us ask name servers and dial what they say", "unit/discovery/mdns_core_test.cpp", "T15: addresses*",
             become("if (ip.empty()) return false;", "if (ip.empty()) return true;")),
    mutation("T15", "has DNS names without end, whose servers do not answer", "unit/link/swarm_limits_test.cpp", "T15: limits*",
             drop("if (names.size() > max_names_per_dial) addresses.resize(all - names.size() + max_names_per_dial);")),
    mutation("T15", "tells an address of our own host in its identify message", "unit/node/presence_test.cpp", "T15: presence*",
             swap("here || !leads_here(address)", "true")),
    mutation("T16", "names whose compression pointers loop", "attacks/discovery_test.cpp", "T16, T17*",
             drop("if (target >= segment || target < header_size || ++jumps > max_jumps) return fail();")),
    mutation("T17", "data shorter than its type, or beyond the packet", "attacks/discovery_test.cpp", "T16, T17*",
             swap("failed_ || size > data_.size() - position_", "failed_")),
    mutation("T18", "a TTL of 136 years", "attacks/discovery_test.cpp", "T18*",
             swap("std::clamp<std::chrono::seconds>(heard.ttl, std::chrono::seconds{1}, options_.max_ttl)", "heard.ttl")),
    mutation("T20", "announces many addresses for another's id, to hide its own", "unit/discovery/mdns_peers_test.cpp", "T20: a forger*",
             swap("-same_source", "std::ptrdiff_t{}"), swap("entry.from.host != from.host", "false")),
    mutation("T20", "announces 20,000 peers", "attacks/discovery_test.cpp", "T15, T20*",
             drop("if (peers_.size() >= options_.max_peers && !make_room(now, *heard.peer, from.host)) return;")),
    mutation("T20", "announces as many peers as there is room for, each from an address of its own, for 75 minutes", "attacks/discovery_test.cpp",
             "T15, T20: mdns: peers announced from as many*", swap("own != sources_.end() || !may_replace(now)", "true")),
    mutation("T20", "announces new peers from new addresses for ever, to have connected ones forgotten", "unit/discovery/mdns_peers_test.cpp",
             "T20: who is connected*", swap("!is_connected(oldest->first)", "true")),
    mutation("T20", "replaces peers from new addresses as fast as it can send", "unit/discovery/mdns_peers_test.cpp", "T15, T20: as many sources*",
             drop("if (replacements_ <= 0) return false;")),
    mutation("T15", "says goodbye for 64 peers in each datagram, where many are known", "attacks/discovery_test.cpp", "T15, T20: mdns: what a datagram*",
             drop("if (goodbyes_.size() < max_goodbyes) return;")),
    mutation("T15", "asks 128 questions with 512 known answers", "attacks/discovery_test.cpp", "T15: mdns: what a query*",
             become("asked.announcement &= !known;", "asked.announcement &= !is_known(query);")),
    mutation("T20", "announces itself under another's nickname", "unit/node/presence_test.cpp", "T20*",
             become("discovered_.insert_or_assign(found.peer, found.nickname);",
                    "discovered_.insert_or_assign(found.peer, found.nickname); people_.named(found.peer, found.nickname);")),
    mutation("T20", "takes another's nickname, to get what is meant for its owner", "attacks/node_test.cpp", "T20*",
             become("if (candidates.size() == 1) return candidates.front();",
                    "for (auto const &one : candidates) if (!store_.pinned(text) || one != *store_.pinned(text)) return one; return candidates.front();")),

    # Files
    mutation("T21", "a file's name with folders in it", "attacks/file_test.cpp", "T21*",
             drop('if (auto const slash = name.find_last_of("/\\\\"); slash != std::string_view::npos) name.remove_prefix(slash + 1);')),
    mutation("T21", "a path for a code", "attacks/file_test.cpp", "T21: files: codes*",
             drop("if (alphabet.find(c) == std::string_view::npos) return errc::unknown_code;")),
    mutation("T21", "the name of what tells how far a download is", "unit/file/safe_name_test.cpp", "T21: nothing that a download*",
             swap("detail::is_unfinished_name(out)", "false")),
    mutation("T21", "a journal for another program's unfinished file", "unit/file/output_file_test.cpp", "T21, T26*",
             swap("!same && status->size > 0", "false")),
    mutation("T21", "the name of a file that is there", "unit/file/output_file_test.cpp", "output file: never overwrites",
             swap("::renameat2(handle_.native(), from.c_str(), handle_.native(), to.c_str(), RENAME_NOREPLACE) == 0",
                  "::renameat(handle_.native(), from.c_str(), handle_.native(), to.c_str()) == 0")),
    mutation("T22", "a symbolic link in the output folder", "unit/core/file_io_test.cpp", "T22*",
             swap("O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK", "O_CLOEXEC | O_NONBLOCK")),
    mutation("T22", "puts another file in the place of the unfinished one", "unit/file/output_file_test.cpp", "T22: what was put*",
             drop("if (!directory_.leads_to(target, part_)) return errc::io_error;")),
    mutation("T23", "escape sequences in texts", "unit/core/text_test.cpp", "T23*",
             swap("!is_control(c) && !is_direction_control(c)", "true")),
    mutation("T23", "escape sequences in nicknames", "attacks/node_test.cpp", "T23*",
             swap("detail::is_clean_name(name, max_nickname_size)", "true")),
    mutation("T20", "a nickname with a character that nobody sees", "unit/peer/nickname_test.cpp", "T20*",
             swap("is_invisible(step.code_point)", "false")),
    mutation("T20", "announces somebody's name, and is dialled for it", "unit/node/people_test.cpp", "T20: people: nobody*",
             swap("(!owner || *owner == peer)", "true")),
    mutation("T20", "a crowd whose addresses make the peer store too large to be read", "unit/peer/peer_store_test.cpp", "T10, T20*",
             swap("size > limits_.text", "false")),
    mutation("T20", "a peer store with pins that cannot be read", "unit/node/store_file_test.cpp", "T20*",
             swap("content_ == content::ours", "true")),
    mutation("T15", "peers that are none, before those of the bootstrap list", "unit/node/redial_test.cpp", "T15: redial: peers that*",
             swap("((reasons & bootstrap) != 0) == (of == bootstrap)", "true")),
    mutation("T15", "peers that are none, before one that was connected", "unit/node/redial_test.cpp", "T15: redial: of those*",
             swap("longest_waiting ? 0 : one->second.failures", "0u")),
    mutation("T15", "peers that are none, by new names without end", "unit/node/redial_test.cpp", "T15: redial: new names*",
             drop("longest_waiting = !longest_waiting;")),
    mutation("T15", "connections, so that the bootstrap list is not dialled", "unit/node/presence_test.cpp", "T15: presence*",
             swap("dial_due(for_bootstrap_, for_bootstrap_.free())", "dial_due(for_bootstrap_, std::min(for_bootstrap_.free(), room))")),
    mutation("T4", "protocols that fill the queue of events", "unit/node/event_hub_test.cpp", "T4, T29*",
             drop("for (auto const &one : all) sum += held_by(one);")),
    mutation("T4", "as many long protocols as there may be", "unit/protocol/identify_test.cpp", "T4*",
             swap("protocol.size() <= max_protocol_bytes - protocol_bytes", "true")),
    mutation("T23", "escape sequences in file names", "attacks/file_test.cpp", "T21*",
             drop("if (step.valid && detail::is_deceptive(step.code_point)) continue;")),
    mutation("T24", "a file by the name of a Windows device", "attacks/file_test.cpp", "T21*",
             swap("detail::is_device_name(out)", "false")),
    mutation("T25", "a manifest with another size than the code's", "unit/file/client_test.cpp", "T27*",
             drop('if (!code.names(described.root, described.size)) throw error{errc::hash_mismatch, "the peer described another file"};')),
    mutation("T25", "a manifest with other chunks than the size has", "attacks/file_sources_test.cpp", "T25, T27: sources: one that cuts*",
             swap("of->map() == chunk_map::of(of->size)", "true")),
    mutation("T25", "a manifest with another size than the root's", "attacks/file_sources_test.cpp", "T25, T27: sources: a root*",
             swap("code_.is_root() && described.size > 0", "false")),
    mutation("T25", "a file that is larger than the disk", "unit/file/output_file_test.cpp", "T25*",
             swap("room && *room < missing", "false")),
    mutation("T25", "a file that changes while it is sent", "unit/file/upload_test.cpp", "T25*",
             swap("*n == buffer.size() && *now == status_", "true")),
    mutation("T26", "a file above the limit that was set", "attacks/file_test.cpp", "T26*",
             swap("described.size > options_.max_size", "false")),
    mutation("T26", "an image in a group that is larger than what is taken unasked", "unit/node/limits_test.cpp", "*a group's image*",
             swap("said->size <= options_.auto_accept_size", "true")),
    mutation("T26", "images that nobody asked for", "attacks/node_test.cpp", "T26*",
             swap("std::min<std::uint64_t>(options_.max_image_size, options_.auto_accept_size)", "std::uint64_t{options_.max_image_size}")),
    mutation("T26", "offers images that fail, to fill the folder with parts of them", "unit/file/download_test.cpp", "T26*",
             swap("options_.keep_unfinished && plan_ && plan_->done_bytes() > 0", "true")),
    mutation("T27", "chunks with other bytes", "attacks/file_test.cpp", "T25, T26, T27*",
             swap("merkle_root(data, map_.chunk_height()) == hashes_[static_cast<std::size_t>(chunk)]", "true")),
    mutation("T27", "hashes of other chunks", "attacks/file_test.cpp", "T25, T26, T27*",
             drop('if (!verify_layer_page(of.root, map, n, page)) throw error{errc::hash_mismatch, "chunk hashes"};')),
    mutation("T27", "asks for chunks beyond the end of a file, to get what is in our memory", "attacks/file_test.cpp", "T27: files: whatever*",
             swap("request.first >= map.count() || request.count > map.count() - request.first", "false")),
    mutation("T27", "asks for hashes beyond the last, likewise", "attacks/file_test.cpp", "T27: files: whatever*",
             swap("request.page >= layer_page_count(share->map)", "false")),
    mutation("T27", "chunks that nobody asked for", "attacks/file_test.cpp", "T25, T26, T27*",
             drop("if (source.owed.empty() || source.owed.front() != chunk) return verdict::unexpected;")),

    # Serialization
    mutation("T28", "a huge size tag", "unit/codec/archive_test.cpp", "T28: archive: a huge*",
             drop("if (count.value > data_.size() / least) refuse();"), drop("if (n > data_.size()) refuse();")),
    mutation("T28", "values nested without end", "unit/codec/archive_test.cpp", "T28: archive: nesting*",
             drop("if (++depth_ > detail::max_wire_depth) refuse();")),

    # The node as a whole
    mutation("T29", "half-open handshakes without end", "unit/link/swarm_test.cpp", "T29*",
             become("return handshakes_ >= max_handshakes_;", "return false;")),
    mutation("T29", "10,000 half-open handshakes of 100 hosts with a node", "attacks/siege_test.cpp", "T29: siege: 10,000*",
             become("return handshakes_ >= max_handshakes_;", "return false;"),
             swap("handshakes_ >= max_handshakes_ - max_handshakes_ / 8 && of_host.handshakes > 0", "false")),
    mutation("T29", "one host that holds every handshake there may be", "attacks/flood_test.cpp", "T29: flood: a host*",
             swap("handshakes_ >= max_handshakes_ - max_handshakes_ / 8 && of_host.handshakes > 0", "false")),
    mutation("T29", "a handshake of a byte a second", "attacks/handshake_test.cpp", "T29: handshake: a byte*",
             become("established made = co_await with_timeout(incoming->upgrade(), options_.handshake_timeout); "
                    "auto const added = admit(std::move(made), direction::inbound); "
                    'if (!added) log(log_level::debug, "swarm", "inbound refused: ", added.error().message());',
                    "established made = co_await with_timeout(incoming->upgrade(), std::chrono::hours{1}); admit(std::move(made), direction::inbound);")),
    mutation("T29", "empty frames of Noise without end", "unit/security/noise_test.cpp", "T29: noise*",
             drop("if (++useless_ % useless_at_once == 0) co_await let_others_run();")),
    mutation("T29", "a byte in each frame of Noise", "unit/mux/yamux_test.cpp", "*T29: what comes in tiny*",
             swap("data.size() + frame_cost", "data.size()")),
    mutation("T29", "100 handshakes with a node, of a byte a second", "attacks/siege_test.cpp", "T29: siege: 100 hosts*",
             become("established made = co_await with_timeout(incoming->upgrade(), options_.handshake_timeout); "
                    "auto const added = admit(std::move(made), direction::inbound); "
                    'if (!added) log(log_level::debug, "swarm", "inbound refused: ", added.error().message());',
                    "established made = co_await with_timeout(incoming->upgrade(), std::chrono::hours{1}); admit(std::move(made), direction::inbound);")),
    mutation("T29", "a source that sends a byte now and then, alone", "attacks/file_test.cpp", "*alone, a peer*",
             drop("if (source.received < options_.stall_bytes) return;")),
    mutation("T29", "a source that sends a byte now and then, beside an honest one", "unit/file/chunker_test.cpp", "T29: what sources*",
             swap("!source.owed.empty() && now - source.begun >= options_.race_after", "false")),
    mutation("T29", "offers images, and never sends them", "unit/file/transfer_test.cpp", "T4, T26, T29*",
             swap("30 + static_cast<std::int64_t>(std::min(size / least_rate, most))", "std::int64_t{24} * 3600")),
    mutation("T29", "a list of files that goes on for ever", "unit/file/client_test.cpp", "T29*",
             swap("end - clock.now()", "timeout_")),
    mutation("T30", "kill -9 in the middle of a save", "attacks/crash_test.cpp", "*of a save",
             swap('"." + target + "." + std::to_string(detail::process_id()) + ".tmp"', "target")),
    mutation("T30", "kill -9 in the middle of a download: what the journal says is not on the disk", "unit/file/chunk_store_test.cpp", "chunk store: only*",
             swap("!file_->read_chunk(next, chunk) && matches(next, chunk)", "true")),
    mutation("T31", "the clock is set back: numbers of messages that are not new", "unit/gossip/message_test.cpp", "*",
             swap("std::max(last_ + 1, since_epoch < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(since_epoch))",
                  "static_cast<std::uint64_t>(since_epoch)")),
    mutation("T31", "our own clock is years behind, and old messages are sent again", "unit/gossip/replay_guard_test.cpp", "T31: replay_guard: replays*",
             swap("std::max(wall + 24h, end)", "wall + 24h")),
    mutation("T31", "a network that goes away", "unit/discovery/mdns_core_test.cpp", "T31*",
             drop("if (entry.from.link == link) shorten(entry, now + link_grace);")),
    mutation("T29", "never gives the hashes of a file's chunks, and has the others wait", "attacks/file_sources_test.cpp", "T29: sources: those that never*",
             swap("clock_.now() + options_.prepare_stagger", "clock_.now() + std::chrono::hours{1}")),
    mutation("T29", "drips, from as many peers as are used at once", "attacks/file_sources_test.cpp", "T29: sources: as many*",
             swap("s->is_to_yield(now, options_.yield_after)", "false")),
]

for position, one in enumerate(MUTATIONS, 1):
    one.number = position
