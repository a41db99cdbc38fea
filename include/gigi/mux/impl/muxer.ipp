// gigi/mux/impl/muxer.ipp: what muxer.hpp declares.
#pragma once

#include "../muxer.hpp"

#include "../../core/config.hpp"
#include "../../core/error.hpp"

namespace gigi::inline v1 {

GIGI_INLINE void stream_core::release() noexcept {
    if (!finished()) reset(make_error_code(errc::reset));
}

GIGI_INLINE stream &stream::operator=(stream &&other) noexcept {
    if (this != &other) {
        drop();
        core_ = std::move(other.core_);
        peer_ = std::move(other.peer_);
        protocol_ = std::move(other.protocol_);
    }
    return *this;
}

GIGI_INLINE void stream::reset() noexcept {
    if (core_) core_->reset(make_error_code(errc::reset));
}

GIGI_INLINE void stream::drop() noexcept {
    if (core_) core_->release();
    core_.reset();
}

} // namespace gigi::inline v1
