// gigi/node/store_file.hpp: the peer store on the disk: read at the start, replaced in one step, and never lost unread.
//
// Layer: node. Blocking. A file that cannot be read, or not wholly, may hold pins all the same, which are the defence against
// impostors: it is kept aside as `<name>.damaged` before it is replaced, and where that is not possible it is not replaced.
#pragma once

#include "../peer/peer_store.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace gigi::inline v1 {

class store_file {
  public:
    /// What the user should know.
    struct trouble {
        std::error_code code;
        std::string message;
    };

    /// @param path empty: nothing is kept
    explicit store_file(std::filesystem::path path) : path_{std::move(path)} {}
    bool used() const noexcept { return !path_.empty(); }

    /// Adds what the file holds, as far as it can be read; where no such file exists, nothing.
    std::optional<trouble> load(peer_store &into);
    /// Replaces the file, readable by this user only. One call at a time.
    std::optional<trouble> save(peer_store const &from);

  private:
    enum class content {
        ours,    ///< or nothing: it may be replaced
        damaged, ///< some of it was read, the rest would be lost
        unread,
    };

    std::filesystem::path aside() const;
    /// Sees to it that the file may be replaced. @return whether it may
    bool keep_aside();

    std::filesystem::path path_;
    content content_ = content::ours;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/store_file.ipp"
#endif
