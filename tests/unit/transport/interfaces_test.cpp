#include <gigi/transport/interfaces.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

namespace interfaces_test {

using namespace gigi;

namespace {

network_interface made(std::string name, std::vector<std::string> const &addresses) {
    network_interface i;
    i.name = std::move(name);
    i.is_loopback = i.name == "lo";
    for (auto const &text : addresses) i.addresses.push_back(asio::ip::make_address(text));
    return i;
}

std::vector<network_interface> const host{
    made("lo", {"127.0.0.1", "::1"}),
    made("eth0", {"192.0.2.1", "198.51.100.1", "fd77::1", "fe80::1%1"}),
    made("wlan0", {"203.0.113.1", "fe80::2%2"}),
    made("bare", {"fe80::3%3"}),
};

std::vector<std::string> texts(std::vector<multiaddr> const &addresses) {
    std::vector<std::string> out;
    for (auto const &address : addresses) out.push_back(address.to_string());
    return out;
}

std::vector<std::string> expanded(std::string_view listen) { return texts(expand(multiaddr::parse(listen).value(), host)); }
std::vector<std::string> on(std::string_view name, std::string_view listen) {
    auto const &found = *std::ranges::find(host, name, &network_interface::name);
    return texts(expand_on(multiaddr::parse(listen).value(), found, host));
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE("interfaces: this host has some, and loopback is among them") {
    auto const all = network_interfaces().value();
    REQUIRE_FALSE(all.empty());
    for (auto const &one : all) {
        CAPTURE(one.name);
        CHECK(one.index > 0);
        CHECK_FALSE(one.name.empty());
        CHECK(std::ranges::count(all, one.name, &network_interface::name) == 1);
        for (auto const &address : one.addresses) CHECK_FALSE(address.is_unspecified());
        if (one.is_loopback) CHECK(std::ranges::find(one.addresses, asio::ip::make_address("127.0.0.1")) != one.addresses.end());
    }
    CHECK(std::ranges::any_of(all, &network_interface::is_loopback));
}

TEST_CASE("interfaces: an unspecified host stands for every address") {
    CHECK(expanded("/ip4/0.0.0.0/tcp/1") ==
          list{"/ip4/127.0.0.1/tcp/1", "/ip4/192.0.2.1/tcp/1", "/ip4/198.51.100.1/tcp/1", "/ip4/203.0.113.1/tcp/1"});
    CHECK(expanded("/ip6/::/tcp/1") == list{"/ip6/::1/tcp/1", "/ip6/fd77::1/tcp/1", "/ip6/fe80::3/tcp/1"});
    CHECK(expanded("/ip4/192.0.2.1/tcp/1") == list{"/ip4/192.0.2.1/tcp/1"});
    CHECK(expanded("/ip4/0.0.0.0/udp/1/quic-v1").at(1) == "/ip4/192.0.2.1/udp/1/quic-v1");
    CHECK(expanded("/dns4/example.org/tcp/1") == list{"/dns4/example.org/tcp/1"});
    CHECK(expand(multiaddr::parse("/ip4/0.0.0.0/tcp/1").value(), {}).empty());
}

TEST_CASE("interfaces: what to listen on has a zone, what is shown has none") {
    auto const listening = [](std::string_view name, std::string_view listen) {
        auto const found = std::ranges::find(host, name, &network_interface::name);
        return texts(expand_to_listen(multiaddr::parse(listen).value(), {&*found, 1}));
    };
    CHECK(listening("bare", "/ip6/::/tcp/1") == list{"/ip6zone/3/ip6/fe80::3/tcp/1"});
    CHECK(listening("eth0", "/ip6/::/tcp/1") == list{"/ip6/fd77::1/tcp/1"});
    CHECK(listening("eth0", "/ip4/0.0.0.0/tcp/0") == list{"/ip4/192.0.2.1/tcp/0", "/ip4/198.51.100.1/tcp/0"});
    CHECK(listening("eth0", "/ip4/203.0.113.7/tcp/1") == list{"/ip4/203.0.113.7/tcp/1"});
    CHECK(expanded("/ip6zone/3/ip6/fe80::3/tcp/1") == list{"/ip6/fe80::3/tcp/1"}); // others have another name for it
    CHECK(on("bare", "/ip6zone/3/ip6/fe80::3/tcp/1") == list{"/ip6/fe80::3/tcp/1"});
    CHECK(on("eth0", "/ip6zone/3/ip6/fe80::3/tcp/1").empty());
}

#ifndef _WIN32
TEST_CASE("interfaces: a label is not part of the name") {
    CHECK(detail::without_label("eth0:1") == "eth0");
    CHECK(detail::without_label("eth0:") == "eth0");
    CHECK(detail::without_label("eth0") == "eth0");
}
#endif

TEST_CASE("interfaces: what is reached on which network") {
    CHECK(on("eth0", "/ip4/0.0.0.0/tcp/1") == list{"/ip4/192.0.2.1/tcp/1", "/ip4/198.51.100.1/tcp/1"});
    CHECK(on("eth0", "/ip6/::/tcp/1") == list{"/ip6/fd77::1/tcp/1"}); // not the link-local one
    CHECK(on("bare", "/ip6/::/tcp/1") == list{"/ip6/fe80::3/tcp/1"}); // unless there is nothing else
    CHECK(on("wlan0", "/ip6/::/tcp/1").empty());
    CHECK(on("lo", "/ip4/0.0.0.0/tcp/1") == list{"/ip4/127.0.0.1/tcp/1"});

    CHECK(on("eth0", "/ip4/192.0.2.1/tcp/1").size() == 1);
    CHECK(on("wlan0", "/ip4/192.0.2.1/tcp/1").empty()); // of another network of ours
    CHECK(on("lo", "/ip4/192.0.2.1/tcp/1").empty());
    CHECK(on("eth0", "/ip4/127.0.0.1/tcp/1").empty());
    CHECK(on("lo", "/ip4/127.0.0.1/tcp/1").size() == 1);
    CHECK(on("lo", "/ip4/127.0.0.2/tcp/1").size() == 1);
    CHECK(on("wlan0", "/ip4/8.8.8.8/tcp/1").size() == 1); // beyond a NAT
    CHECK(on("lo", "/ip4/8.8.8.8/tcp/1").empty());
    CHECK(on("wlan0", "/dns4/example.org/tcp/1").size() == 1);
    CHECK(on("lo", "/dns4/example.org/tcp/1").empty());
}

} // namespace interfaces_test
