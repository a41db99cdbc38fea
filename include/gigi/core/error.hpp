// gigi/core/error.hpp: every way in which gigi fails, as portable error codes and conditions.
//
// Layer: core. `errc` says precisely what happened; `condition` groups codes (ours, Asio's and the system's) into what
// a caller can act on: `if (e.code() == gigi::condition::timed_out) …`.
#pragma once

#include "config.hpp"

#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace gigi::inline v1 {

/// What went wrong. `name(errc)` is a stable, machine-readable word for each.
enum class errc {
    // the operation
    cancelled = 1,          ///< the caller cancelled it
    timed_out,              ///< its deadline passed
    stopped,                ///< the node (or the component) has been stopped, or was never started
    invalid_argument,       ///< an argument is out of its documented range
    not_supported,          ///< this build or this platform cannot do it
    // connections and streams
    closed,                 ///< closed by us, or by the peer in good order
    reset,                  ///< the stream or connection was aborted
    end_of_stream,          ///< the peer ended its side before a whole message had arrived
    refused,                ///< the peer or its host refused the connection
    unreachable,            ///< no address of the peer could be reached
    address_in_use,         ///< the port to listen on is taken
    idle,                   ///< closed because nothing used it
    // what a peer said
    protocol_violation,     ///< bytes that the protocol does not allow
    unsupported_protocol,   ///< the peer does not speak this protocol
    frame_too_large,        ///< a length prefix is above the protocol's cap
    message_too_large,      ///< a message is above its documented maximum
    flow_control,           ///< more data than the receive window allows
    // identity
    bad_signature,          ///< a signature does not verify
    decryption_failed,      ///< a ciphertext was not authentic
    peer_mismatch,          ///< the peer that answered is not the peer that was dialled
    unsupported_key,        ///< a key type or size that gigi does not accept
    bad_identity_file,      ///< the identity file is damaged, or cannot be read or made
    self_dial,              ///< the address leads to this very node
    // limits
    limit_exceeded,         ///< a limit of `node_options` was reached
    rejected,               ///< the peer was reached and said no
    // naming
    invalid_address,        ///< not a multiaddr, or one that no transport here can dial
    invalid_name,           ///< a nickname, group or file name that is not allowed
    unknown_peer,           ///< no peer with this nickname or id is known
    ambiguous_nickname,     ///< several peers have this nickname; the message names them
    no_addresses,           ///< the peer is known, but no address of it is
    not_joined,             ///< this node is not in that group
    // files
    unknown_code,           ///< no file is shared under this code
    file_not_found,         ///< the path does not name a readable regular file
    file_changed,           ///< the file is no longer what was shared
    hash_mismatch,          ///< bytes do not match the hash they were promised under
    disk_full,              ///< no room for the file
    io_error,               ///< reading or writing the disk failed
    bad_share_list,         ///< the share list is damaged, a newer version's, or cannot be read
};

/// What a caller can act on; each condition is equivalent to several codes of gigi, Asio and the system.
enum class condition {
    cancelled = 1,          ///< the caller's own doing
    timed_out,              ///< may work later
    closed,                 ///< the other end or this end is gone: closed, reset, end_of_stream, stopped, broken pipe, …
    unreachable,            ///< refused, no route, no addresses
    protocol_violation,     ///< the peer misbehaved: framing, flow control, sizes
    limit_exceeded,         ///< a bound of this node was reached
    untrusted,              ///< identity, signature, decryption or hash failure
    invalid_input,          ///< an argument, name, address or code that cannot be right
    io_error,               ///< the disk
};

/// The stable, machine-readable word for a code, e.g. "ambiguous_nickname".
constexpr char const *name(errc e) noexcept {
    switch (e) {
    case errc::cancelled: return "cancelled";
    case errc::timed_out: return "timed_out";
    case errc::stopped: return "stopped";
    case errc::invalid_argument: return "invalid_argument";
    case errc::not_supported: return "not_supported";
    case errc::closed: return "closed";
    case errc::reset: return "reset";
    case errc::end_of_stream: return "end_of_stream";
    case errc::refused: return "refused";
    case errc::unreachable: return "unreachable";
    case errc::address_in_use: return "address_in_use";
    case errc::idle: return "idle";
    case errc::protocol_violation: return "protocol_violation";
    case errc::unsupported_protocol: return "unsupported_protocol";
    case errc::frame_too_large: return "frame_too_large";
    case errc::message_too_large: return "message_too_large";
    case errc::flow_control: return "flow_control";
    case errc::bad_signature: return "bad_signature";
    case errc::decryption_failed: return "decryption_failed";
    case errc::peer_mismatch: return "peer_mismatch";
    case errc::unsupported_key: return "unsupported_key";
    case errc::bad_identity_file: return "bad_identity_file";
    case errc::self_dial: return "self_dial";
    case errc::limit_exceeded: return "limit_exceeded";
    case errc::rejected: return "rejected";
    case errc::invalid_address: return "invalid_address";
    case errc::invalid_name: return "invalid_name";
    case errc::unknown_peer: return "unknown_peer";
    case errc::ambiguous_nickname: return "ambiguous_nickname";
    case errc::no_addresses: return "no_addresses";
    case errc::not_joined: return "not_joined";
    case errc::unknown_code: return "unknown_code";
    case errc::file_not_found: return "file_not_found";
    case errc::file_changed: return "file_changed";
    case errc::hash_mismatch: return "hash_mismatch";
    case errc::disk_full: return "disk_full";
    case errc::io_error: return "io_error";
    case errc::bad_share_list: return "bad_share_list";
    }
    return "unknown";
}

/// A sentence for people.
constexpr char const *describe(errc e) noexcept {
    switch (e) {
    case errc::cancelled: return "the operation was cancelled";
    case errc::timed_out: return "the other side did not answer in time";
    case errc::stopped: return "the node is not running: co_await node.start() first";
    case errc::invalid_argument: return "an argument is out of range";
    case errc::not_supported: return "not supported here";
    case errc::closed: return "the connection is closed";
    case errc::reset: return "the other side aborted the stream";
    case errc::end_of_stream: return "the other side ended the stream in the middle of a message";
    case errc::refused: return "the connection was refused: is a node listening there?";
    case errc::unreachable: return "no address of the peer could be reached";
    case errc::address_in_use: return "the address is in use: choose another port, or 0 for any";
    case errc::idle: return "the connection was idle";
    case errc::protocol_violation: return "the peer broke the protocol";
    case errc::unsupported_protocol: return "the peer does not speak this protocol";
    case errc::frame_too_large: return "a frame is larger than its protocol allows";
    case errc::message_too_large: return "the message is too large";
    case errc::flow_control: return "the peer sent more than its window allows";
    case errc::bad_signature: return "a signature does not verify";
    case errc::decryption_failed: return "the data was damaged or forged on the way";
    case errc::peer_mismatch: return "the peer that answered is not the one that was dialled";
    case errc::unsupported_key: return "the key's type or size is not accepted";
    case errc::bad_identity_file: return "the identity file cannot be used";
    case errc::self_dial: return "the address leads to this node itself";
    case errc::limit_exceeded: return "a limit was reached";
    case errc::rejected: return "the peer refused the request";
    case errc::invalid_address: return "not an address that can be used here";
    case errc::invalid_name: return "the name is not allowed";
    case errc::unknown_peer: return "no such peer is known";
    case errc::ambiguous_nickname: return "several peers have this nickname: add ~ and the end of the peer id";
    case errc::no_addresses: return "no address of the peer is known";
    case errc::not_joined: return "not a member of this group: join it first";
    case errc::unknown_code: return "no file is shared under this code";
    case errc::file_not_found: return "no such readable file";
    case errc::file_changed: return "the file has changed since it was shared: share it again";
    case errc::hash_mismatch: return "the data does not match its hash";
    case errc::disk_full: return "no room on the disk";
    case errc::io_error: return "reading or writing a file failed";
    case errc::bad_share_list: return "the share list cannot be used";
    }
    return "unknown error";
}

namespace detail {

bool matches(std::error_code const &code, condition wanted) noexcept;

} // namespace detail

std::error_category const &error_category() noexcept;

std::error_category const &condition_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }
std::error_condition make_error_condition(condition c) noexcept;

} // namespace gigi::inline v1

template <> struct std::is_error_code_enum<gigi::errc> : std::true_type {};
template <> struct std::is_error_condition_enum<gigi::condition> : std::true_type {};

namespace gigi::inline v1 {

namespace detail {

/// Asio's own category for the system's codes does not compare equal to std::errc: name the code by the standard's.
std::error_code portable(std::error_code const &code) noexcept;

} // namespace detail

/// What gigi's operations throw: a code to test and a sentence that says what to do.
/// `what()` is "<context>: <description>"; `code()` carries an `errc`, or the system's own code.
class error : public std::system_error {
  public:
    explicit error(std::error_code code) : std::system_error{code}, context_{} {}
    error(std::error_code code, std::string context);
    error(errc code, std::string context) : error{make_error_code(code), std::move(context)} {}

    /// What was being done, or to whom; may be empty.
    std::string const &context() const noexcept { return context_; }

  private:
    std::string context_;
};

/// The code's stable word: the `errc`'s name, or the nearest for a code that is not gigi's, or the category's name.
std::string error_name(std::error_code const &original);

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/error.ipp"
#endif
