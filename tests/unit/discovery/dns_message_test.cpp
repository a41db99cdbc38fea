#include <gigi/discovery/dns_message.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <ostream>
#include <random>

namespace dns_message_test {

using namespace gigi;
using namespace std::literals;

namespace {

dns_name name(std::string_view text) { return dns_name::from_text(text).value(); }

/// A header with these counts, and then a body in hexadecimal.
bytes message(unsigned questions, unsigned answers, std::string_view body, unsigned flags = 0x8400) {
    bytes out;
    for (auto const value : {0u, flags, questions, answers, 0u, 0u}) append_be(out, static_cast<std::uint16_t>(value));
    append(out, from_hex(body).value());
    return out;
}

std::error_code parse_error(bytes const &data) { return dns_message::parse(data).error(); }

dns_message announcement() {
    auto const instance = name("abc._p2p._udp.local"), host = name("abc.p2p.local");
    dns_message m;
    m.is_response = m.is_authoritative = true;
    m.answers.push_back({name("_p2p._udp.local"), 120s, false, instance});
    m.additionals.push_back({instance, 120s, true, dns_strings{"dnsaddr=/ip4/192.0.2.7/tcp/4001/p2p/x", "nickname=al"}});
    m.additionals.push_back({instance, 120s, true, dns_service{1, 2, 4001, host}});
    m.additionals.push_back({host, 120s, true, dns_ipv4{192, 0, 2, 7}});
    m.additionals.push_back({host, 120s, true, dns_ipv6{0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}});
    return m;
}

} // namespace

TEST_CASE("dns_message: a query, byte by byte") {
    dns_message query;
    query.questions.push_back({name("_p2p._udp.local"), dns_type::ptr, false});
    auto const built = query.build().value();
    CHECK(to_hex(built) == "000000000001000000000000"
                           "045f703270045f756470056c6f63616c00000c0001");
    auto const parsed = dns_message::parse(built).value();
    CHECK_FALSE(parsed.is_response);
    REQUIRE(parsed.questions.size() == 1);
    CHECK(parsed.questions[0].name == name("_P2P._udp.local"));
    CHECK(parsed.questions[0].type == dns_type::ptr);
    CHECK_FALSE(parsed.questions[0].unicast_response);

    query.questions[0].unicast_response = true;
    CHECK(to_hex(query.build().value()).ends_with("000c8001"));
    CHECK(dns_message::parse(query.build().value()).value().questions[0].unicast_response);
}

TEST_CASE("dns_message: every type of record survives") {
    auto const sent = announcement();
    auto const wire = sent.build().value();
    auto const got = dns_message::parse(wire).value();
    CHECK(got.is_response);
    CHECK(got.is_authoritative);
    CHECK_FALSE(got.is_truncated);
    REQUIRE(got.answers.size() == 1);
    CHECK(std::get<dns_name>(got.answers[0].data) == name("abc._p2p._udp.local"));
    CHECK_FALSE(got.answers[0].cache_flush);
    REQUIRE(got.additionals.size() == 4);
    CHECK(std::get<dns_strings>(got.additionals[0].data) == std::get<dns_strings>(sent.additionals[0].data));
    auto const &service = std::get<dns_service>(got.additionals[1].data);
    CHECK(service.priority == 1);
    CHECK(service.weight == 2);
    CHECK(service.port == 4001);
    CHECK(service.target == name("abc.p2p.local"));
    CHECK(std::get<dns_ipv4>(got.additionals[2].data) == std::get<dns_ipv4>(sent.additionals[2].data));
    CHECK(std::get<dns_ipv6>(got.additionals[3].data) == std::get<dns_ipv6>(sent.additionals[3].data));
    for (auto const &record : got.additionals) {
        CHECK(record.ttl == 120s);
        CHECK(record.cache_flush);
    }
    // compressed: each label of the service type is there once, and in the SRV target, which is written in full
    auto const text = to_text(wire);
    CHECK(text.find("_p2p") == text.rfind("_p2p"));
    CHECK(text.find("\3p2p\5local") == text.rfind("\3p2p\5local"));
}

TEST_CASE("dns_message: header bits") {
    dns_message m;
    m.id = 0xabcd;
    m.is_truncated = true;
    m.opcode = 4;
    m.response_code = 3;
    auto const got = dns_message::parse(m.build().value()).value();
    CHECK(got.id == 0xabcd);
    CHECK(got.is_truncated);
    CHECK(got.opcode == 4);
    CHECK(got.response_code == 3);
    CHECK_FALSE(got.is_response);
    CHECK_FALSE(got.is_authoritative);
}

TEST_CASE("dns_message: other types and classes are left out") {
    // OPT of the root, NSEC, a CHAOS TXT, then an A
    auto const m = message(0, 4,
                           "00" "0029" "0578" "00000000" "0000"
                           "016100" "002f" "8001" "00000078" "0004" "01610000"
                           "016100" "0010" "0003" "00000078" "0002" "0161"
                           "016100" "0001" "0001" "00000078" "0004" "01020304");
    auto const got = dns_message::parse(m).value();
    REQUIRE(got.answers.size() == 1);
    CHECK(std::get<dns_ipv4>(got.answers[0].data) == dns_ipv4{1, 2, 3, 4});
}

TEST_CASE("dns_message: compressed names") {
    SUBCASE("a pointer into the question") {
        auto const m = message(1, 1, "0161056c6f63616c00000c0001" "c00c000c0001000000780004" "0162c00e");
        auto const got = dns_message::parse(m).value();
        REQUIRE(got.answers.size() == 1);
        CHECK(got.answers[0].name == name("a.local"));
        CHECK(std::get<dns_name>(got.answers[0].data) == name("b.local"));
    }
    SUBCASE("a chain of pointers, each to an earlier place") {
        auto const m = message(2, 0, "0161056c6f63616c00000c0001" "0162c00e000c0001");
        CHECK(dns_message::parse(m).value().questions[1].name == name("b.local"));
    }
}

TEST_CASE("T16: pointers that loop, lead forward or lead outside") {
    struct { char const *what; bytes data; } const cases[] = {
        {"to itself", message(1, 0, "c00c000c0001")},
        {"to itself behind a label", message(1, 0, "0161c00c000c0001")},
        {"two that point at each other", message(2, 0, "c012000c0001" "c00c000c0001")},
        {"forward", message(2, 0, "c012000c0001" "016100000c0001")},
        {"into the header", message(1, 0, "c000000c0001")},
        {"beyond the end", message(1, 0, "ffff000c0001")},
        {"cut in the middle", message(1, 0, "c0")},
        {"reserved 01", message(1, 0, "4161000c0001")},
        {"reserved 10", message(1, 0, "8161000c0001")},
        {"a label beyond the end", message(1, 0, "3f6161")},
        {"no end", message(1, 0, "0161")},
    };
    for (auto const &c : cases) {
        CAPTURE(c.what);
        CHECK(parse_error(c.data) == errc::protocol_violation);
    }
}

TEST_CASE("T16: the work for a message is bounded") {
    // A chain of pointers in a record of an unknown type, followed again by every other record there is room for.
    constexpr unsigned records = 480, links = 508;
    auto const chain_message = [](unsigned first_link) {
        bytes m;
        for (unsigned const value : {0u, 0x8400u, 0u, records, 0u, 0u}) append_be(m, static_cast<std::uint16_t>(value));
        append(m, from_hex("00000a00010000000003fc" "01610000").value());
        auto target = m.size() - 4;
        auto const start = m.size();
        for (unsigned i = 0; i < links; ++i) {
            auto const here = m.size();
            append_be(m, static_cast<std::uint16_t>(0xc000 | target));
            target = here;
        }
        for (unsigned i = 1; i < records; ++i) {
            append_be(m, static_cast<std::uint16_t>(0xc000 | (start + 2 * first_link)));
            append(m, from_hex("0001000100000078000401020304").value());
        }
        return m;
    };
    auto const longest = dns_message::parse(chain_message(125)).value(); // 127 pointers in a row
    CHECK(longest.answers.size() == records - 1);
    CHECK(longest.answers.back().name == name("a"));
    CHECK(parse_error(chain_message(126)) == errc::protocol_violation);
    CHECK(parse_error(chain_message(links - 1)) == errc::protocol_violation);
}

TEST_CASE("T16: names above 255 bytes, however they are put together") {
    // three labels of 63 at 12; then a name of 62 bytes that points at them is 255 with the zero, and one more is too much
    std::string const label = "3f" + to_hex(as_bytes(std::string(63, 'x')));
    auto const first = label + label + label + "00" "000c0001";
    auto const fits = message(2, 0, first + "3d" + to_hex(as_bytes(std::string(61, 'y'))) + "c00c000c0001");
    CHECK(dns_message::parse(fits).value().questions[1].name.wire_size() == 255);
    auto const beyond = message(2, 0, first + "3e" + to_hex(as_bytes(std::string(62, 'y'))) + "c00c000c0001");
    CHECK(parse_error(beyond) == errc::protocol_violation);
}

TEST_CASE("T17: data that is shorter or longer than its type") {
    struct { char const *what; char const *record; } const cases[] = {
        {"A of 3", "016100 0001 0001 00000078 0003 010203"},
        {"A of 5", "016100 0001 0001 00000078 0005 0102030405"},
        {"A of 0", "016100 0001 0001 00000078 0000"},
        {"AAAA of 15", "016100 001c 0001 00000078 000f 000102030405060708090a0b0c0d0e"},
        {"SRV of 6", "016100 0021 0001 00000078 0006 000000000000"},
        {"SRV of 5", "016100 0021 0001 00000078 0005 0000000000"},
        {"SRV whose target ends early", "016100 0021 0001 00000078 0008 0000000000000000"},
        {"PTR of 0, with a name behind it", "016100 000c 0001 00000078 0000 016100"},
        {"PTR whose name ends early", "016100 000c 0001 00000078 0004 01620000"},
        {"PTR whose name ends beyond", "016100 000c 0001 00000078 0002 016200"},
        {"TXT string beyond the data", "016100 0010 0001 00000078 0003 036162"},
        {"TXT string into the next record", "016100 0010 0001 00000078 0001 05"},
        {"data beyond the message", "016100 0001 0001 00000078 0004 0102"},
        {"the length itself is cut", "016100 0001 0001 00000078 00"},
        {"no TTL", "016100 0001 0001"},
    };
    for (auto const &c : cases) {
        CAPTURE(c.what);
        std::string hex{c.record};
        std::erase(hex, ' ');
        CHECK(parse_error(message(0, 1, hex)) == errc::protocol_violation);
    }
    CHECK(parse_error({}) == errc::protocol_violation);
    CHECK(parse_error(bytes(11)) == errc::protocol_violation);
    CHECK(dns_message::parse(bytes(12)).has_value());
}

TEST_CASE("dns_message: TXT strings") {
    auto const strings = [](std::string_view data) {
        bytes raw;
        append(raw, from_hex("0161000010000100000078").value());
        append_be(raw, static_cast<std::uint16_t>(data.size()));
        append(raw, data);
        return std::get<dns_strings>(dns_message::parse(message(0, 1, to_hex(raw))).value().answers.at(0).data);
    };
    CHECK(strings("") == dns_strings{}); // RFC 6763 §6.1: as if it held one empty string
    CHECK(strings("\0"sv) == dns_strings{});
    CHECK(strings("\1a\0\2bc"sv) == dns_strings{"a", "bc"});

    dns_message m;
    m.answers.push_back({name("a"), 1s, false, dns_strings{std::string(255, 'x')}});
    CHECK(m.build().has_value());
    m.answers[0].data = dns_strings{std::string(256, 'x')};
    CHECK(m.build().error() == errc::invalid_argument);
    m.answers[0].data = dns_strings{};
    CHECK(to_hex(m.build().value()).ends_with("000100")); // one empty string
}

TEST_CASE("T18: a TTL of any size is a duration that cannot overflow") {
    auto const got = dns_message::parse(message(0, 2, "0161000001000100000000000401020304" "01610000010001ffffffff000401020304")).value();
    CHECK(got.answers[0].ttl == 0s);
    CHECK(got.answers[1].ttl == 4294967295s);
    dns_message m;
    m.answers.push_back({name("a"), std::chrono::seconds::max(), false, dns_ipv4{}});
    m.answers.push_back({name("a"), -1s, false, dns_ipv4{}});
    auto const again = dns_message::parse(m.build().value()).value();
    CHECK(again.answers[0].ttl == 4294967295s);
    CHECK(again.answers[1].ttl == 0s);
}

TEST_CASE("T2: counts and sizes are checked before anything is made") {
    CHECK(parse_error(message(1, 0, "")) == errc::protocol_violation);
    CHECK(parse_error(message(0xffff, 0, "")) == errc::limit_exceeded);
    CHECK(parse_error(message(0, 0xffff, "")) == errc::limit_exceeded);
    CHECK(parse_error(message(0, 513, "")) == errc::limit_exceeded);
    bytes large(dns_max_message_size);
    CHECK(dns_message::parse(large).has_value());
    large.push_back(0);
    CHECK(parse_error(large) == errc::message_too_large);

    dns_message m;
    for (int i = 0; i < 40; ++i) m.answers.push_back({name("a"), 1s, false, dns_strings{std::string(200, 'x')}});
    CHECK(m.build().has_value());
    for (int i = 0; i < 10; ++i) m.answers.push_back(m.answers[0]);
    CHECK(m.build().error() == errc::message_too_large);
}

TEST_CASE("dns_message: every cut and many changes of a good message end in a value or an error") {
    auto const good = announcement().build().value();
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(parse_error({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}) == errc::protocol_violation);
    std::mt19937 random{7};
    for (int i = 0; i < 20'000; ++i) {
        auto changed = good;
        for (auto n = random() % 4 + 1; n > 0; --n) changed[random() % changed.size()] = static_cast<std::uint8_t>(random());
        auto const parsed = dns_message::parse(changed);
        if (parsed) CHECK(parsed->build().has_value());
    }
}

} // namespace dns_message_test
