// gigi/impl/node.ipp: what node.hpp declares.
#pragma once

#include "../node.hpp"

#include "../core/config.hpp"
#include "../core/error.hpp"
#include "../core/uninterrupted.hpp"
#include "../node/node_core.hpp"
#include "../crypto/random.hpp"
#include "../link/upgrade.hpp"
#include "../peer/nickname.hpp"

#include <cstdio>
#include <cstdlib>

namespace gigi::inline v1 {

GIGI_INLINE node_base::~node_base() {
    if (!core_ || idle_.orphaned()) return;
    std::fputs("gigi: a node was destroyed while it was running: co_await node.stop() first\n", stderr);
    std::abort();
}

GIGI_INLINE awaitable<void> node_base::start() {
    if (core_) throw error{errc::invalid_argument, stopping_ ? "the node is still stopping: wait until stop() has returned" : "the node is running already"};
    if (!options_.nickname.empty() && !valid_nickname(options_.nickname)) throw error{errc::invalid_name, printable(options_.nickname) + " (" + std::string{nickname_rule} + ")"};
    identity self = make_identity();
    std::string nickname = options_.nickname;
    if (nickname.empty()) nickname = "peer-" + self.id().short_string();
    offload_ = parts_.make_offload(executor_, options_.file_threads);
    events_.set_open(true);
    auto const make_connector = [this](any_io_executor const &executor, identity const &id) -> std::unique_ptr<connector> {
        mux_limits limits = node_core::connection_limits(options_);
        limits.secret = parts_.random->next();
        return parts_.make_connector(executor, id, limits);
    };
    core_ = std::make_unique<node_core>(executor_, options_, std::move(self), std::move(nickname), make_connector, offload_->get_executor(), *parts_.random, events_);
    for (auto const &install : handlers_) install.second(core_->network());
    std::exception_ptr failure;
    try {
        core_->start();
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    bool const throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await stop();
    co_await asio::this_coro::throw_if_cancelled(throwing);
    std::rethrow_exception(failure);
}

GIGI_INLINE awaitable<void> node_base::stop() { return uninterrupted(end_all()); }

GIGI_INLINE awaitable<void> node_base::end_all() {
    if (stopping_) { // another call is at it
        while (stopping_) co_await idle_.wait();
        co_return;
    }
    if (!core_) co_return;
    stopping_ = true;
    co_await core_->stop();
    while (operations_ > 0) co_await idle_.wait(); // calls of other coroutines that this has interrupted
    core_.reset();
    offload_->join();
    offload_.reset();
    events_.set_open(false);
    stopping_ = false;
    idle_.notify_all();
}

GIGI_INLINE peer_id const &node_base::id() const noexcept { return core_ ? core_->self().id() : id_; }

GIGI_INLINE std::string const &node_base::nickname() const noexcept { return core_ ? core_->nickname() : options_.nickname; }

GIGI_INLINE std::vector<multiaddr> node_base::addresses() const { return core_ ? core_->addresses() : std::vector<multiaddr>{}; }

GIGI_INLINE std::vector<peer_info> node_base::peers() const { return core_ ? core_->peers() : std::vector<peer_info>{}; }

GIGI_INLINE std::vector<group_info> node_base::groups() const { return core_ ? core_->group_list() : std::vector<group_info>{}; }

GIGI_INLINE std::vector<shared_info> node_base::shared_files() const { return core_ ? core_->files().shared() : std::vector<shared_info>{}; }

GIGI_INLINE node_stats node_base::stats() const {
    node_stats s;
    if (core_) s = core_->stats();
    auto const waiting = events_.waiting();
    s.events_queued = waiting.events;
    s.event_bytes_queued = waiting.bytes;
    s.events_dropped = events_.dropped();
    return s;
}

GIGI_INLINE peer_id node_base::resolve(peer_ref const &who) const { return running().who().resolve(who); }

GIGI_INLINE std::string node_base::nickname_of(peer_id const &peer) const { return core_ ? core_->who().nickname_of(peer) : std::string{}; }

GIGI_INLINE awaitable<event> node_base::next_event() { return own_events_.next(); }

GIGI_INLINE event_reader node_base::subscribe() { return events_.subscribe(); }

GIGI_INLINE awaitable<peer_id> node_base::dial(std::string_view address_or_peer) {
    operation const running_now{*this};
    peer_id peer;
    if (address_or_peer.starts_with('/')) {
        auto const address = multiaddr::parse(address_or_peer);
        if (!address) throw error{errc::invalid_address, std::string{address_or_peer}};
        peer = co_await core_->network().dial(*address);
    } else {
        peer = core_->who().resolve_to_dial(address_or_peer);
        co_await core_->network().connect(peer);
    }
    core_->network().protect(peer, "dialled");
    co_return peer;
}

GIGI_INLINE awaitable<peer_id> node_base::dial(peer_id peer) {
    operation const running_now{*this};
    co_await core_->network().connect(peer);
    core_->network().protect(peer, "dialled");
    co_return peer;
}

GIGI_INLINE awaitable<void> node_base::disconnect(peer_ref who) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    core_->around().mute(peer);
    core_->network().unprotect(peer, "dialled");
    co_await core_->network().disconnect(peer);
}

GIGI_INLINE awaitable<void> node_base::set_nickname(std::string_view nickname) {
    operation const running_now{*this};
    if (!valid_nickname(nickname)) throw error{errc::invalid_name, printable(nickname) + " (" + std::string{nickname_rule} + ")"};
    core_->rename(std::string{nickname});
    co_return;
}

GIGI_INLINE awaitable<receipt> node_base::send(peer_ref who, std::string_view text) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    receipt taken = co_await core_->messages().send_text(peer, text);
    co_return taken;
}

GIGI_INLINE awaitable<receipt> node_base::send_image(peer_ref who, std::filesystem::path const &file) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    receipt taken = co_await core_->messages().send_image(peer, file);
    co_return taken;
}

GIGI_INLINE awaitable<receipt> node_base::offer_file(peer_ref who, std::string_view code) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    file_info const offered = core_->files().find(code);
    receipt taken = co_await core_->messages().send_file_offer(peer, offered);
    co_return taken;
}

GIGI_INLINE awaitable<receipt> node_base::send_bytes(peer_ref who, bytes_view data) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    receipt taken = co_await core_->messages().send_bytes(peer, data);
    co_return taken;
}

GIGI_INLINE awaitable<std::size_t> node_base::broadcast(bytes_view data) {
    operation const running_now{*this};
    std::size_t const taken = co_await core_->broadcast(data);
    co_return taken;
}

GIGI_INLINE awaitable<void> node_base::join(std::string_view group) {
    operation const running_now{*this};
    core_->groups().join(std::string{group});
    co_return;
}

GIGI_INLINE awaitable<void> node_base::leave(std::string_view group) {
    operation const running_now{*this};
    core_->groups().leave(std::string{group});
    co_return;
}

GIGI_INLINE std::string node_base::publish(std::string_view group, std::string_view text) { return running().groups().publish(std::string{group}, text); }

GIGI_INLINE awaitable<std::string> node_base::publish_image(std::string_view group, std::filesystem::path const &file) {
    operation const running_now{*this};
    std::string const name{group};
    std::string code = co_await core_->groups().publish_image(name, file);
    co_return code;
}

GIGI_INLINE awaitable<std::string> node_base::share(std::filesystem::path const &file) {
    operation const running_now{*this};
    shared_info const shared = co_await core_->files().share(file);
    co_return shared.code;
}

GIGI_INLINE awaitable<void> node_base::unshare(std::string_view code) {
    operation const running_now{*this};
    std::string const typed{code};
    co_await core_->files().unshare(typed);
}

GIGI_INLINE awaitable<std::vector<file_info>> node_base::list_files(peer_ref who) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    std::vector<file_info> all = co_await core_->files().list(peer);
    co_return all;
}

GIGI_INLINE awaitable<download_result> node_base::download(peer_ref who, std::string_view code) {
    operation const running_now{*this};
    std::vector<peer_id> const sources{core_->who().resolve(who)};
    std::string const typed{code};
    download_result done = co_await core_->files().download(sources, typed);
    co_return done;
}

GIGI_INLINE awaitable<download_result> node_base::download(std::string_view code) {
    operation const running_now{*this};
    std::vector<peer_id> const sources = core_->peers_with("/gigi/file/1.0.0");
    std::string const typed{code};
    download_result done = co_await core_->files().download(sources, typed);
    co_return done;
}

GIGI_INLINE std::uint64_t node_base::start_download(peer_ref const &who, std::string_view code) {
    auto &core = running();
    return core.files().start_download({core.who().resolve(who)}, std::string{code});
}

GIGI_INLINE void node_base::cancel_download(std::uint64_t id) { running().files().cancel_download(id); }

GIGI_INLINE void node_base::handle(std::string protocol, stream_handler handler) {
    install(protocol, [protocol, handler = std::move(handler)](swarm &on) { on.handle(protocol, handler); });
}

GIGI_INLINE awaitable<stream> node_base::open_stream(peer_ref who, std::string protocol) {
    operation const running_now{*this};
    peer_id const peer = core_->who().resolve(who);
    std::vector<std::string> protocols;
    protocols.push_back(std::move(protocol));
    stream opened = co_await core_->network().open_stream(peer, std::move(protocols));
    co_return opened;
}

GIGI_INLINE node_base::node_base(any_io_executor const &executor, node_options options, node_parts parts)
    : options_{std::move(options)}, parts_{std::move(parts)}, executor_{asio::make_strand(executor)},
      events_{executor_, event_limits{options_.max_queued_events, options_.max_queued_event_bytes}}, own_events_{events_.subscribe(true)}, idle_{executor_} {}

GIGI_INLINE node_base::operation::operation(node_base &of) : node_{of.life_.get()} {
    of.running();
    ++of.operations_;
}

GIGI_INLINE node_base::operation::~operation() {
    auto *const of = *node_;
    if (of && --of->operations_ == 0) of->idle_.notify_all();
}

GIGI_INLINE node_core &node_base::running() const {
    if (!core_ || stopping_) throw error{make_error_code(errc::stopped)};
    return *core_;
}

GIGI_INLINE swarm &node_base::network() const { return running().network(); }

GIGI_INLINE identity node_base::make_identity() {
    if (!options_.identity_file.empty()) {
        identity loaded = identity::load_or_create(options_.identity_file);
        id_ = loaded.id();
        return loaded;
    }
    if (!seed_) { // the same identity at every start of this object
        ed25519_seed fresh{};
        parts_.random->fill(fresh);
        seed_ = fresh;
    }
    identity own = identity::from_seed(*seed_);
    id_ = own.id();
    return own;
}

GIGI_INLINE void node_base::install(std::string protocol, std::function<void(swarm &)> how) {
    if (core_) how(core_->network());
    handlers_.insert_or_assign(std::move(protocol), std::move(how));
}

} // namespace gigi::inline v1
