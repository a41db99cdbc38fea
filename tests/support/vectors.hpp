// tests/support/vectors.hpp: golden bytes that js-libp2p made, from tests/data/libp2p.json.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gigi::test {

/// The text at a path of names, e.g. "gossip.message". The file is small and trusted: names are searched for in turn.
inline std::string vector(std::string_view path) {
    static std::string const file = [] {
        std::ifstream in{std::filesystem::path{__FILE__}.parent_path().parent_path() / "data" / "libp2p.json"};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    }();
    std::size_t at = 0;
    bool const whole = file.find('"' + std::string{path} + '"') != std::string::npos; // a name may have dots in it
    for (std::string_view rest = path; at != std::string::npos && !rest.empty();) {
        auto const dot = whole ? std::string_view::npos : rest.find('.');
        std::string const name = '"' + std::string{rest.substr(0, dot)} + '"';
        at = file.find(name, at);
        if (at != std::string::npos) at += name.size();
        rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    }
    auto const begin = at == std::string::npos ? at : file.find('"', at);
    auto const end = begin == std::string::npos ? begin : file.find('"', begin + 1);
    if (end == std::string::npos) throw std::runtime_error{"no such test vector: " + std::string{path}};
    return file.substr(begin + 1, end - begin - 1);
}

} // namespace gigi::test
