// gigi/node/group_payload.hpp: what a group message says, inside the signed gossip message.
//
// Layer: node. Cereal, as everything of gigi's own; at most 1 MiB of text.
#pragma once

#include "../codec/cereal_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// The gossip topic of a group is this, followed by the group's name.
inline constexpr std::string_view group_topic_prefix = "/gigi/group/1.0.0/";

struct group_payload {
    static constexpr std::size_t max_size = (std::size_t{1} << 20) + 4096;

    enum class kind : std::uint8_t {
        text = 1,
        image = 2, ///< the author shares an image under `code`: fetch it by yourself if it is small enough
        file = 3,  ///< the author shares a file under `code`
    };
    kind what = kind::text;
    std::string text;
    std::string name; ///< the file's
    std::string mime;
    std::string code;
    std::uint64_t size = 0; ///< bytes

    template <class Archive> void serialize(Archive &archive) { archive(what, text, name, mime, code, size); }
};

} // namespace gigi::inline v1
