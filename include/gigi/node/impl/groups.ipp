// gigi/node/impl/groups.ipp: what groups.hpp declares.
#pragma once

#include "../groups.hpp"

#include "../../codec/cereal_codec.hpp"
#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../../core/offload.hpp"
#include "../../file/safe_name.hpp"
#include "../../peer/nickname.hpp"
#include "../received_file.hpp"
#include "../types.hpp"

#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE group_service::group_service(swarm &on, node_options const &options, file_sharing &files, any_io_executor disk, random_source &random,
                                         std::function<void(event const &)> emit, std::function<std::string(peer_id const &)> nickname_of)
    : options_{options}, files_{files}, disk_{std::move(disk)}, emit_{std::move(emit)}, nickname_of_{std::move(nickname_of)},
      clock_{on.get_executor()}, replays_{options.gossip.seen_ttl, options.max_authors}, gossip_{on, limits(options), callbacks(), random}, tasks_{on.get_executor()} {}

GIGI_INLINE awaitable<void> group_service::stop() {
    tasks_.cancel();
    co_await tasks_.join();
    co_await gossip_.stop();
}

GIGI_INLINE void group_service::join(std::string const &group) {
    if (!valid_group_name(group)) throw error{errc::invalid_name, group};
    if (joined_.contains(group)) return;
    if (joined_.size() >= options_.max_groups) {
        ++refused_;
        throw error{errc::limit_exceeded, "groups"};
    }
    gossip_.subscribe(topic_of(group));
    joined_.insert(group);
    emit_(event{events::group_joined{group}});
    for (auto const &peer : members(group)) emit_(event{events::group_peer_joined{group, peer, nickname_of_(peer)}});
}

GIGI_INLINE void group_service::leave(std::string const &group) {
    check_joined(group);
    gossip_.unsubscribe(topic_of(group));
    joined_.erase(group);
    emit_(event{events::group_left{group}});
}

GIGI_INLINE std::string group_service::publish(std::string const &group, std::string_view text) {
    check_joined(group);
    if (text.size() > options_.max_message_size) throw error{errc::message_too_large, "text"};
    group_payload said;
    said.text = text;
    return send(group, said);
}

GIGI_INLINE awaitable<std::string> group_service::publish_image(std::string group, std::filesystem::path file) {
    check_joined(group);
    auto look = [&file] { return beginning_of(file); };
    bytes const start = co_await run_on(disk_, look);
    shared_info const shared = co_await files_.share(file);
    check_joined(group);
    group_payload said;
    said.what = group_payload::kind::image;
    said.name = shared.name;
    said.mime = mime_type_of(start, shared.name);
    said.code = shared.code;
    said.size = shared.size;
    send(group, said);
    co_return shared.code;
}

GIGI_INLINE gossip_options group_service::limits(node_options const &from) {
    gossip_options o = from.gossip;
    o.max_message_size = group_payload::max_size;
    o.max_joined = from.max_groups;
    return o;
}

GIGI_INLINE gossip_callbacks group_service::callbacks() {
    gossip_callbacks c;
    c.validate = [this](peer_id const &author, peer_id const &forwarder, gossip_message const &message) {
        bool const group = message.topic.starts_with(group_topic_prefix);
        auto const number = load_be<std::uint64_t>(message.seqno.data());
        bool const fresh = !group || replays_.admit(author, number, author == forwarder, clock_.now(), clock_.wall_now());
        return fresh ? validity::accept : validity::ignore;
    };
    c.on_message = [this](received_message const &message) { take(message); };
    c.on_peer_joined = [this](std::string const &topic, peer_id const &peer) {
        if (auto const group = group_of(topic); joined_.contains(group)) emit_(event{events::group_peer_joined{group, peer, nickname_of_(peer)}});
    };
    c.on_peer_left = [this](std::string const &topic, peer_id const &peer) {
        if (auto const group = group_of(topic); joined_.contains(group)) emit_(event{events::group_peer_left{group, peer, nickname_of_(peer)}});
    };
    return c;
}

GIGI_INLINE std::string group_service::group_of(std::string_view topic) {
    return topic.starts_with(group_topic_prefix) ? std::string{topic.substr(group_topic_prefix.size())} : std::string{};
}

GIGI_INLINE void group_service::check_joined(std::string const &group) const {
    if (!joined_.contains(group)) throw error{errc::not_joined, group};
}

GIGI_INLINE bytes group_service::beginning_of(std::filesystem::path const &path) {
    auto const file = disk_file::open(path);
    if (!file) throw error{file.error(), path.string()};
    bytes start(64);
    auto const n = file->read_at(0, start);
    start.resize(n ? *n : 0);
    return start;
}

GIGI_INLINE std::string group_service::send(std::string const &group, group_payload const &said) {
    bytes data;
    cereal_codec{}.encode(said, data);
    auto const id = gossip_.publish(topic_of(group), data);
    return to_hex(id);
}

GIGI_INLINE void group_service::take(received_message const &message) {
    auto const group = group_of(message.topic);
    if (!joined_.contains(group)) return;
    auto said = cereal_codec{}.decode<group_payload>(message.data);
    if (!said) {
        log(log_level::debug, "groups", "a message in ", group, " that is not of gigi");
        return;
    }
    std::string nickname = nickname_of_(message.author);
    if (said->what == group_payload::kind::text) {
        if (said->text.size() > options_.max_message_size)
            ++messages_refused_;
        else
            emit_(event{events::group_message{group, message.author, std::move(nickname), std::move(said->text), to_hex(message.id)}});
        return;
    }
    if (said->what != group_payload::kind::image && said->what != group_payload::kind::file) return;
    auto const code = share_code::parse(said->code);
    if (!code) return;
    std::string const name = safe_file_name(said->name);
    bool const fetch = said->what == group_payload::kind::image && said->size <= options_.auto_accept_size && may_fetch(message.author);
    if (!fetch) {
        if (said->what == group_payload::kind::image) ++not_fetched_;
        emit_(event{events::file_offered{message.author, std::move(nickname), group, code->to_string(), name, said->size}});
        return;
    }
    events::group_image image;
    image.group = group;
    image.peer = message.author;
    image.nickname = std::move(nickname);
    image.name = name;
    image.mime = said->mime.substr(0, 128);
    image.size = said->size;
    image.code = code->to_string();
    tasks_.spawn(fetch_image(std::move(image)));
}

GIGI_INLINE bool group_service::may_fetch(peer_id const &author) const {
    auto const of_this = fetching_of_.find(author);
    return fetching_ < max_fetches && (of_this == fetching_of_.end() || of_this->second < max_fetches_of_author);
}

GIGI_INLINE awaitable<void> group_service::fetch_image(events::group_image image) {
    struct counted {
        group_service &owner;
        peer_id const from;
        counted(group_service &g, peer_id const &author) : owner{g}, from{author} {
            ++owner.fetching_;
            ++owner.fetching_of_[from];
        }
        ~counted() {
            --owner.fetching_;
            if (--owner.fetching_of_[from] == 0) owner.fetching_of_.erase(from);
        }
    } const count{*this, image.peer};
    std::error_code failed;
    try {
        download_result const done = co_await files_.download_offered(image.peer, image.code, image.size);
        image.path = done.path;
        image.size = done.size;
    } catch (std::system_error const &e) {
        failed = e.code();
        log(log_level::info, "groups", "image ", image.code, ": ", e.what());
    }
    if (failed == condition::cancelled) co_return;
    if (failed)
        emit_(event{events::file_offered{image.peer, image.nickname, image.group, image.code, image.name, image.size}});
    else
        emit_(event{std::move(image)});
}

} // namespace gigi::inline v1
