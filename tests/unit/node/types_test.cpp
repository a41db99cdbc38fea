#include <gigi/node/types.hpp>

#include <gigi/core/json.hpp>

#include "unit/node/some_peers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace types_test {

using namespace gigi;

namespace {

/// As a function of a node takes it.
std::string named(peer_ref const &who) { return who.has_id() ? "id " + who.id().to_string() : "text " + std::string{who.text()}; }

} // namespace

TEST_CASE("types: a peer is named by its id or by any kind of text; no text is an id") {
    auto const peer = some_peers(1)[0];
    std::string const text = "bob~abcd";
    CHECK(named("bob") == "text bob");
    CHECK(named(text) == "text bob~abcd");
    CHECK(named(std::string_view{text}.substr(4)) == "text abcd");
    CHECK(named(peer) == "id " + peer.to_string());
    CHECK(named(peer_id{}) == "id " + peer_id{}.to_string());
    CHECK(named("") == "text ");
    CHECK(named(std::string{}) == "text ");
    CHECK(named(std::string_view{}) == "text "); // it does not name nobody's id
}

TEST_CASE("types: what a node returns comes out as JSON, member by member") {
    auto const peer = some_peers(1)[0];
    peer_info info;
    info.peer = peer;
    info.nickname = "bob";
    info.connected = true;
    info.addresses.push_back(multiaddr::parse("/ip4/10.0.0.1/tcp/4001").value());
    info.agent = "gigi";
    info.bytes_sent = 1;
    info.bytes_received = 2;
    std::string const bob = "{\"peer\":\"" + peer.to_string() + "\",\"nickname\":\"bob\",\"connected\":true,\"inbound\":false,"
                            "\"addresses\":[\"/ip4/10.0.0.1/tcp/4001\"],\"agent\":\"gigi\",\"bytes_sent\":1,\"bytes_received\":2}";
    CHECK(json_text(info) == bob);
    group_info group;
    group.group = "lobby";
    group.members.push_back(info);
    CHECK(json_text(group) == "{\"group\":\"lobby\",\"members\":[" + bob + "]}");
    shared_info file;
    file.code = "k7qm";
    file.name = "a";
    file.size = 3;
    file.path = "/secret/a";
    CHECK(json_text(static_cast<file_info const &>(file)) == "{\"code\":\"k7qm\",\"name\":\"a\",\"size\":3}");
}

} // namespace types_test
