// gigi/protocol/nickname.hpp: nickname exchange, on connect and on change.
//
// Layer: protocol. The connection authenticates whose nickname it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// Each side tells the other its nickname: the asking side in the request, the other in the response.
struct nickname_exchange {
    static constexpr std::string_view id = "/gigi/nickname/1.0.0";

    struct message {
        static constexpr std::size_t max_size = 128;
        std::string nickname;
        template <class Archive> void serialize(Archive &archive) { archive(nickname); }
    };
    using request = message;
    using response = message;
};

} // namespace gigi::inline v1
