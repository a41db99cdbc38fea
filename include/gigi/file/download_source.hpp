// gigi/file/download_source.hpp: what a download knows of one of its sources.
//
// Layer: file.
#pragma once

#include "../core/clock.hpp"
#include "../core/error.hpp"
#include "chunker.hpp"
#include "client.hpp"
#include "rate_limiter.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <system_error>

namespace gigi::inline v1 {

/// One peer that a download fetches from, through one stream after the other.
template <ByteStream Stream> struct download_source {
    static constexpr unsigned max_doublings = 10; ///< of its patience

    /// A stream to it is open.
    void begin(file_client<Stream> &through, time_point now) {
        client = &through;
        held_back = false;
        has_given(now);
    }
    /// It has sent a whole chunk.
    void has_given(time_point now) {
        gave_at = now;
        received = 0;
    }
    /// Whether it has been of so little use for so long that another one should have its place.
    /// @param patience with one that has not made room before
    bool is_to_yield(time_point now, duration patience) const {
        return !yielded && !held_back && now - gave_at >= patience * (1 << std::min(yields, max_doublings));
    }
    /// Whether another stream may do better than one that ended like this.
    /// @param known whether the file's hashes are
    bool worth_reopening(std::exception_ptr const &why, bool known) const {
        if (give_up || !(known || described)) return false;
        std::error_code const code = code_of(why);
        return code == condition::closed || code == condition::unreachable || code == condition::timed_out ||
               (code == errc::limit_exceeded && gave); // it was not busy before, and may not be for long
    }

    /// Whether what ended a source is that its peer knows nothing of files: that says nothing of this one.
    static bool has_no_files(std::exception_ptr const &why) { return code_of(why) == errc::unsupported_protocol; }

    std::function<awaitable<Stream>()> open;
    rate_pass pace;
    bool held_back = false;                // by its pace, or by our disk: it does not stall, we do
    file_client<Stream> *client = nullptr; // while its stream is open
    chunker::source_id id = 0;             // while it is part of the plan
    std::error_code give_up;               // why it must not be used any longer
    bool stalled = false;                  // why its stream was reset
    bool yielded = false;                  // likewise: another one waits
    bool described = false;                // it says that it has the file
    bool gave = false;                     // a chunk
    time_point gave_at{};                  // the last one, or was first asked for one
    std::size_t received = 0;              // bytes since
    unsigned reopens = 0;
    unsigned yields = 0;

  private:
    static std::error_code code_of(std::exception_ptr const &why) {
        try {
            std::rethrow_exception(why);
        } catch (std::system_error const &e) {
            return e.code();
        } catch (...) {
        }
        return {};
    }
};

} // namespace gigi::inline v1
