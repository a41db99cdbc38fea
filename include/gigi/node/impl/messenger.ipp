// gigi/node/impl/messenger.ipp: what messenger.hpp declares.
#pragma once

#include "../messenger.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/offload.hpp"
#include "../../core/task_group.hpp"
#include "../../crypto/random.hpp"
#include "../../file/safe_name.hpp"
#include "../../file/share_code.hpp"
#include "../../protocol/request_response.hpp"
#include "../received_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gigi::inline v1 {

template <class P> awaitable<receipt> messenger::deliver(peer_id to, typename P::request const &message) {
    auto const start = clock_.now();
    delivery_receipt const answer = co_await send_request<P>(swarm_, to, message, options_.request_timeout);
    if (answer.id != message.id) throw error{errc::protocol_violation, "the receipt is for another message"};
    co_return receipt{answer.id, clock_.now() - start};
}

GIGI_INLINE messenger::messenger(swarm &on, node_options const &options, surroundings around)
    : swarm_{on}, options_{options}, around_{std::move(around)}, clock_{on.get_executor()} {
    auto direct = [this](peer_id const &from, direct_protocol::request const &message) { return take_direct(from, message); };
    serve_requests<direct_protocol>(swarm_, std::move(direct), options_.request_timeout);
    auto raw = [this](peer_id const &from, bytes_protocol::request const &message) { return take_bytes(from, message); };
    serve_requests<bytes_protocol>(swarm_, std::move(raw), options_.request_timeout);
}

GIGI_INLINE void messenger::stop() {
    swarm_.unhandle(direct_protocol::id);
    swarm_.unhandle(bytes_protocol::id);
}

GIGI_INLINE awaitable<receipt> messenger::send_text(peer_id to, std::string_view text) {
    if (text.size() > options_.max_message_size) throw error{errc::message_too_large, "text"};
    direct_protocol::request message;
    message.id = make_id();
    message.text = text;
    receipt taken = co_await deliver<direct_protocol>(to, message);
    co_return taken;
}

GIGI_INLINE awaitable<receipt> messenger::send_image(peer_id to, std::filesystem::path file) {
    direct_protocol::request message;
    message.id = make_id();
    message.kind = direct_protocol::kind::image;
    message.name = file.filename().string();
    auto read = [&file, limit = options_.max_image_size] { return read_small_file(file, limit); };
    message.data = co_await run_on(around_.disk, read);
    message.mime = mime_type_of(message.data, message.name);
    receipt taken = co_await deliver<direct_protocol>(to, message);
    co_return taken;
}

GIGI_INLINE awaitable<receipt> messenger::send_file_offer(peer_id to, file_info offered) {
    direct_protocol::request message;
    message.id = make_id();
    message.kind = direct_protocol::kind::file_offer;
    message.code = std::move(offered.code);
    message.name = std::move(offered.name);
    message.size = offered.size;
    receipt taken = co_await deliver<direct_protocol>(to, message);
    co_return taken;
}

GIGI_INLINE awaitable<receipt> messenger::send_bytes(peer_id to, bytes_view data) {
    bytes_protocol::request const message = bytes_message(data);
    receipt taken = co_await deliver<bytes_protocol>(to, message);
    co_return taken;
}

GIGI_INLINE awaitable<std::size_t> messenger::send_bytes_to_all(std::vector<peer_id> to, bytes_view data) {
    std::string id;
    bytes frame;
    {
        bytes_protocol::request const message = bytes_message(data);
        id = message.id;
        frame = encode_request<bytes_protocol>(message);
    }
    std::size_t taken = 0;
    task_group sending{swarm_.get_executor()};
    for (auto const &peer : to) sending.spawn(send_counted(peer, frame, id, taken));
    co_await sending.join();
    co_return taken;
}

GIGI_INLINE awaitable<void> messenger::send_counted(peer_id to, bytes_view frame, std::string const &id, std::size_t &taken) {
    try {
        delivery_receipt const answer = co_await send_encoded_request<bytes_protocol>(swarm_, to, frame, options_.request_timeout);
        if (answer.id == id) ++taken;
    } catch (std::system_error const &e) {
        if (e.code() == condition::cancelled) throw;
    }
}

GIGI_INLINE bytes_protocol::request messenger::bytes_message(bytes_view data) const {
    if (data.size() > options_.max_image_size) throw error{errc::message_too_large, "bytes"};
    bytes_protocol::request message;
    message.id = make_id();
    message.data = to_bytes(data);
    return message;
}

GIGI_INLINE std::string messenger::make_id() {
    std::array<std::uint8_t, 16> raw{};
    random_bytes(raw);
    return to_hex(raw);
}

GIGI_INLINE awaitable<delivery_receipt> messenger::take_direct(peer_id const &from, direct_protocol::request const &message) {
    if (message.id.empty() || message.id.size() > 32) throw error{errc::protocol_violation, "message id"};
    delivery_receipt taken;
    taken.id = message.id;
    std::string const nickname = around_.nickname_of(from);
    switch (message.kind) {
    case direct_protocol::kind::text:
        if (message.text.size() > options_.max_message_size) refuse("text");
        around_.emit(event{events::direct_message{from, nickname, message.text, message.id}});
        break;
    case direct_protocol::kind::image: {
        if (message.data.size() > std::min<std::uint64_t>(options_.max_image_size, options_.auto_accept_size)) refuse("image"); // unasked (T26)
        std::string const name = safe_file_name(message.name);
        std::filesystem::path path;
        auto store = [this, &name, &message, &path] { path = write_received_file(options_.output_directory, name, message.data); };
        std::error_code failed;
        try {
            co_await run_on(around_.disk, store);
        } catch (std::system_error const &e) {
            failed = e.code();
            if (failed != condition::cancelled) around_.emit(event{events::background_error{"messages", failed, e.what()}});
        }
        // What is stored is told, as a text would be, also where the sender has gone meanwhile: it has no receipt, and knows that
        // the image may be there all the same.
        std::string const mime = message.mime.substr(0, 128);
        if (!path.empty()) around_.emit(event{events::image_received{from, nickname, name, mime, message.data.size(), path, message.id}});
        if (failed) throw error{failed, "image"}; // our paths are not for the peer
        break;
    }
    case direct_protocol::kind::file_offer: {
        auto const code = share_code::parse(message.code);
        if (!code) throw error{errc::unknown_code, "file offer"};
        around_.emit(event{events::file_offered{from, nickname, "", code->to_string(), safe_file_name(message.name), message.size}});
        break;
    }
    default: throw error{errc::not_supported, "message kind"};
    }
    co_return taken;
}

GIGI_INLINE awaitable<delivery_receipt> messenger::take_bytes(peer_id const &from, bytes_protocol::request const &message) {
    if (message.id.empty() || message.id.size() > 32) throw error{errc::protocol_violation, "message id"};
    if (message.data.size() > options_.max_image_size) refuse("bytes");
    around_.emit(event{events::bytes_received{from, around_.nickname_of(from), message.data}});
    delivery_receipt taken;
    taken.id = message.id;
    co_return taken;
}

GIGI_INLINE void messenger::refuse(char const *what) {
    ++refused_;
    throw error{errc::message_too_large, what};
}

} // namespace gigi::inline v1
