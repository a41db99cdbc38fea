// DNS messages and names: what is parsed can be built and is then parsed the same; memory is bounded by the datagram.
#include "fuzz.hpp"

#include <gigi/discovery/dns_message.hpp>

namespace dns_fuzz {

using namespace gigi;

namespace {

bool same(dns_name const &a, dns_name const &b) { return a.labels() == b.labels(); }
bool same(dns_service const &a, dns_service const &b) {
    return a.priority == b.priority && a.weight == b.weight && a.port == b.port && same(a.target, b.target);
}
template <class T> bool same(T const &a, T const &b) { return a == b; }

bool same(dns_record const &a, dns_record const &b) {
    if (!same(a.name, b.name) || a.ttl != b.ttl || a.cache_flush != b.cache_flush || a.data.index() != b.data.index()) return false;
    return std::visit([&]<class T>(T const &data) { return same(data, std::get<T>(b.data)); }, a.data);
}
bool same(dns_question const &a, dns_question const &b) {
    return same(a.name, b.name) && a.type == b.type && a.unicast_response == b.unicast_response;
}
template <class T> bool same(std::vector<T> const &a, std::vector<T> const &b) {
    return std::ranges::equal(a, b, [](T const &x, T const &y) { return same(x, y); });
}
bool same(dns_message const &a, dns_message const &b) {
    return a.id == b.id && a.is_response == b.is_response && a.is_authoritative == b.is_authoritative && a.is_truncated == b.is_truncated &&
           a.opcode == b.opcode && a.response_code == b.response_code && same(a.questions, b.questions) && same(a.answers, b.answers) &&
           same(a.authorities, b.authorities) && same(a.additionals, b.additionals);
}

void check_name(dns_name const &name) {
    FUZZ_CHECK(name.wire_size() <= dns_name::max_wire_size);
    for (auto const c : name.to_text()) FUZZ_CHECK(c > ' ' && c < 0x7f); // logs are safe
    dns_name above = name;
    std::size_t labels = 0;
    for (; !above.is_root(); above = above.parent(), ++labels) FUZZ_CHECK(!above.first_label().empty() && above.first_label().size() <= 63);
    FUZZ_CHECK(labels <= 127 && name == name);
}

} // namespace

FUZZ_TARGET(dns) {
    auto const message = [&] {
        // Names are the dear part: one of 255 bytes costs two where it is a pointer; a record has at least 11 bytes.
        fuzz::memory_limit const limit{fuzz::several_times(128, data)};
        return dns_message::parse(data);
    }();
    fuzz::check_result(message);
    auto const name = dns_name::from_text(as_text(data.first(std::min<std::size_t>(data.size(), 300))));
    fuzz::check_result(name);
    if (name) check_name(*name);
    if (!message) return;
    FUZZ_CHECK(message->questions.size() <= dns_max_questions);
    FUZZ_CHECK(message->answers.size() + message->authorities.size() + message->additionals.size() <= dns_max_records);
    for (auto const &question : message->questions) check_name(question.name);
    for (auto const *section : {&message->answers, &message->authorities, &message->additionals})
        for (auto const &record : *section) check_name(record.name);

    auto const built = message->build();
    fuzz::check_result(built);
    if (!built) { // names that were compressed where we do not may need more room
        FUZZ_CHECK(built.error() == errc::message_too_large);
        return;
    }
    FUZZ_CHECK(built->size() <= dns_max_message_size);
    auto const again = dns_message::parse(*built);
    FUZZ_CHECK(again && same(*message, *again));
    FUZZ_CHECK(again->build().value() == *built);
}

FUZZ_SEEDS {
    auto const service = dns_name::from_text("_p2p._udp.local").value(), instance = service.child("alice0123").value();
    dns_message query;
    query.questions = {{service, dns_type::ptr, true}, {instance, dns_type::any, false}};
    query.answers = {{service, std::chrono::seconds{120}, false, instance}};
    dns_message answer;
    answer.is_response = answer.is_authoritative = true;
    answer.answers = {{service, std::chrono::seconds{120}, false, instance}};
    answer.additionals = {{instance, std::chrono::seconds{120}, true, dns_strings{"dnsaddr=/ip4/10.0.0.1/tcp/4001", "nickname=alice"}},
                          {instance, std::chrono::seconds{120}, true, dns_service{0, 0, 4001, instance}},
                          {instance, std::chrono::seconds{0}, true, dns_ipv4{10, 0, 0, 1}},
                          {instance, std::chrono::seconds{120}, true, dns_ipv6{0xfe, 0x80}}};
    return {query.build().value(), answer.build().value(), to_bytes(std::string_view{"_p2p._udp.local."})};
}

} // namespace dns_fuzz
