// gigi/link/impl/protocol_handlers.ipp: what protocol_handlers.hpp declares.
#pragma once

#include "../protocol_handlers.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"
#include "../../core/log.hpp"
#include "../multistream.hpp"

#include <cstddef>
#include <exception>
#include <utility>

namespace gigi::inline v1 {

GIGI_INLINE void protocol_handlers::handle(std::string protocol, stream_handler handler) {
    handlers_.insert_or_assign(std::move(protocol), std::make_shared<stream_handler const>(std::move(handler)));
}

GIGI_INLINE void protocol_handlers::unhandle(std::string_view protocol) {
    if (auto const found = handlers_.find(protocol); found != handlers_.end()) handlers_.erase(found);
}

GIGI_INLINE std::vector<std::string> protocol_handlers::names() const {
    std::vector<std::string> all;
    for (auto const &[name, handler] : handlers_) all.push_back(name);
    return all;
}

GIGI_INLINE awaitable<void> protocol_handlers::serve(std::shared_ptr<connection> c, stream incoming) {
    std::string protocol;
    try {
        incoming.expires_at(clock_.now() + options_.handshake_timeout);
        auto const supported = [this](std::string_view name) { return handlers_.find(name) != handlers_.end(); };
        protocol = co_await negotiate_as_listener(incoming, supported);
        incoming.expires_never();
        auto const found = handlers_.find(protocol);
        if (found == handlers_.end()) co_return;
        auto const handler = found->second; // alive even if the protocol is taken away meanwhile
        auto &in_flight = c->in_flight[protocol];
        if (in_flight >= options_.max_streams_per_protocol) {
            ++stats_.streams_refused;
            ++stats_.streams_refused_per_protocol;
            co_return;
        }
        struct counted {
            std::size_t &n;
            explicit counted(std::size_t &of) : n{of} { ++n; }
            ~counted() { --n; }
        } const count{in_flight};
        incoming.set_protocol(protocol);
        co_await (*handler)(std::move(incoming));
    } catch (std::system_error const &e) {
        if (e.code() == errc::unsupported_protocol) ++stats_.streams_unsupported;
        if (e.code() == errc::frame_too_large) ++stats_.frames_too_large;
        log(log_level::debug, "swarm", protocol, " stream from ", c->info.peer.to_string(), ": ", e.what());
    } catch (std::exception const &e) {
        log(log_level::warning, "swarm", protocol, " handler: ", e.what());
    } catch (...) {
        log(log_level::warning, "swarm", protocol, " handler: threw what is no std::exception");
    }
}

} // namespace gigi::inline v1
