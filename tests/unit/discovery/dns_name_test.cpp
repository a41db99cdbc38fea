#include <gigi/discovery/dns_name.hpp>

#include <doctest/doctest.h>

#include <ostream>

namespace dns_name_test {

using namespace gigi;
using namespace std::literals;

TEST_CASE("dns_name: text") {
    CHECK(dns_name::from_text("_p2p._udp.local").value().to_text() == "_p2p._udp.local");
    CHECK(dns_name::from_text("_p2p._udp.local.").value().to_text() == "_p2p._udp.local");
    CHECK(dns_name::from_text("local").value().labels() == "\5local");
    CHECK(dns_name::from_text("").value().is_root());
    CHECK(dns_name::from_text(".").value().is_root());
    CHECK(dns_name{}.to_text() == ".");
    for (auto const *wrong : {"a..b", ".a", "a..", ".."}) {
        CAPTURE(wrong);
        CHECK(dns_name::from_text(wrong).error() == errc::invalid_name);
    }
    dns_name odd;
    REQUIRE(odd.append_label("My.Printer \\\n\xff"));
    CHECK(odd.to_text() == "My\\046Printer\\032\\092\\010\\255");
}

TEST_CASE("dns_name: labels of at most 63 bytes, names of at most 255") {
    auto const longest = std::string(63, 'x');
    CHECK(dns_name::from_text(longest).has_value());
    CHECK(dns_name::from_text(longest + "x").error() == errc::invalid_name);
    auto const name = dns_name::from_text(longest + "." + longest + "." + longest).value();
    CHECK(name.wire_size() == 193);
    CHECK(name.child(std::string(61, 'y')).value().wire_size() == 255);
    CHECK(name.child(std::string(62, 'y')).error() == errc::invalid_name);
    CHECK(name.child("").error() == errc::invalid_name);
    dns_name appended = name;
    CHECK_FALSE(appended.append_label(std::string(62, 'y')));
    CHECK(appended == name);
    CHECK(appended.append_label(std::string(61, 'y')));
}

TEST_CASE("dns_name: case is ignored for ASCII letters only") {
    auto const parse = [](std::string_view text) { return dns_name::from_text(text).value(); };
    CHECK(parse("_P2P._Udp.LOCAL") == parse("_p2p._udp.local"));
    CHECK_FALSE(parse("a.b") == parse("ab"));
    CHECK_FALSE(parse("a.b") == parse("a.b.c"));
    CHECK_FALSE(parse("[") == parse("{")); // next to the letters
    CHECK_FALSE(parse("\xc3\x84") == parse("\xc3\xa4"));
}

TEST_CASE("dns_name: the way to the root") {
    auto name = dns_name::from_text("peer._p2p._udp.local").value();
    CHECK(name.first_label() == "peer");
    name = name.parent();
    CHECK(name == dns_name::from_text("_p2p._udp.local").value());
    CHECK(name.child("peer").value().first_label() == "peer");
    name = name.parent().parent().parent();
    CHECK(name.is_root());
    CHECK(name.first_label().empty());
    CHECK(name.parent().is_root());
}

} // namespace dns_name_test
