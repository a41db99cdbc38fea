// gigi/protocol/direct.hpp: messages from one person to another, and raw bytes between apps.
//
// Layer: protocol. Each is one request, answered by a receipt with its id once the receiver's node has taken it.
#pragma once

#include "../core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigi::inline v1 {

/// "I have it": the id of the message that was taken.
struct delivery_receipt {
    static constexpr std::size_t max_size = 64;
    std::string id;
    template <class Archive> void serialize(Archive &archive) { archive(id); }
};

/// `/gigi/direct/1.0.0`: text, image, file offer.
struct direct_protocol {
    static constexpr std::string_view id = "/gigi/direct/1.0.0";

    enum class kind : std::uint8_t { text = 1, image = 2, file_offer = 3 };

    struct request {
        static constexpr std::size_t max_size = (std::size_t{16} << 20) + 4096; ///< an image of 16 MiB, and its words

        std::string id;          ///< 16 random bytes as hexadecimal, chosen by the sender
        direct_protocol::kind kind = direct_protocol::kind::text;
        std::string text;        ///< text: UTF-8
        std::string name;        ///< image, file_offer: the file's name
        std::string mime;        ///< image
        std::string code;        ///< file_offer: the share code
        std::uint64_t size = 0;  ///< file_offer: in bytes
        gigi::bytes data;        ///< image

        template <class Archive> void serialize(Archive &archive) { archive(id, kind, text, name, mime, code, size, data); }
    };
    using response = delivery_receipt;
};

/// `/gigi/bytes/1.0.0`: an app's raw bytes.
struct bytes_protocol {
    static constexpr std::string_view id = "/gigi/bytes/1.0.0";

    struct request {
        static constexpr std::size_t max_size = (std::size_t{16} << 20) + 64;
        std::string id;
        gigi::bytes data;
        template <class Archive> void serialize(Archive &archive) { archive(id, data); }
    };
    using response = delivery_receipt;
};

} // namespace gigi::inline v1
