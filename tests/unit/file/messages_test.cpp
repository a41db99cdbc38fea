#include <gigi/codec/cereal_codec.hpp>
#include <gigi/file/messages.hpp>

#include <doctest/doctest.h>

#include <ostream>

namespace messages_test {

using namespace gigi;

namespace {

template <class T> bytes encoded(T const &value) {
    bytes out;
    cereal_codec{}.encode(value, out);
    return out;
}
template <class T, class What> T with(What what) {
    T message;
    message.what = std::move(what);
    return message;
}

} // namespace

TEST_CASE("file messages: the largest of each fit their documented maximum") {
    CHECK(encoded(with<file_request>(manifest_request{std::string(64, 'a')})).size() <= file_request::max_size);
    CHECK(encoded(with<file_request>(list_request{std::string(64, 'a')})).size() <= file_request::max_size);
    CHECK(encoded(with<file_request>(range_request{})).size() <= file_request::max_size);
    CHECK(encoded(with<file_request>(layer_request{})).size() <= file_request::max_size);
    list_page list;
    for (std::size_t i = 0; i < list_page::max_entries; ++i) list.entries.push_back({std::string(64, 'c'), std::string(255, 'n'), ~std::uint64_t{0}});
    CHECK(encoded(with<file_answer>(list)).size() <= file_answer::max_size);
    layer_page_message page;
    page.hashes.resize(layer_page_size);
    page.proof.resize(64);
    CHECK(encoded(with<file_answer>(page)).size() <= file_answer::max_size);
}

TEST_CASE("file messages: the bytes on the wire") {
    CHECK(to_hex(encoded(with<file_request>(list_request{""}))) == "0000");
    CHECK(to_hex(encoded(with<file_request>(manifest_request{"ab"}))) == "01026162");
    CHECK(to_hex(encoded(with<file_request>(range_request{{}, 7, 2}))) == "03" + std::string(64, '0') + "0700000002000000");
    CHECK(to_hex(encoded(with<file_answer>(file_failure{file_refusal::file_changed}))) == "0002");
    CHECK(to_hex(encoded(with<file_answer>(chunk_header{258}))) == "0402010000");
    manifest m;
    m.name = "a";
    m.size = std::uint64_t{5} << 30;
    m.chunk_size = 1 << 20;
    CHECK(to_hex(encoded(with<file_answer>(m))) == "020161" "0000004001000000" + std::string(64, '0') + "00001000");
}

TEST_CASE("T25, T28: messages beyond their bounds are refused") {
    cereal_codec const codec;
    CHECK(!codec.decode<file_request>(encoded(with<file_request>(range_request{{}, 0, 0}))));
    CHECK(!codec.decode<file_request>(encoded(with<file_request>(range_request{{}, 0, range_request::max_chunks + 1}))));
    CHECK(codec.decode<file_request>(encoded(with<file_request>(range_request{{}, ~0u, range_request::max_chunks}))));
    CHECK(!codec.decode<file_request>(encoded(with<file_request>(manifest_request{std::string(65, 'a')}))));
    manifest m;
    m.chunk_size = chunk_map::least_chunk_size;
    CHECK(codec.decode<file_answer>(encoded(with<file_answer>(m))));
    m.size = ~std::uint64_t{0};
    CHECK(!codec.decode<file_answer>(encoded(with<file_answer>(m))));
    m.size = 5;
    m.chunk_size = 0;
    CHECK(!codec.decode<file_answer>(encoded(with<file_answer>(m))));
    m.chunk_size = chunk_map::least_chunk_size;
    m.name.assign(256, 'x');
    CHECK(!codec.decode<file_answer>(encoded(with<file_answer>(m))));
    list_page list;
    list.entries.resize(list_page::max_entries + 1);
    CHECK(!codec.decode<file_answer>(encoded(with<file_answer>(list))));
}

TEST_CASE("file messages: errors come back as what they were") {
    for (errc e : {errc::unknown_code, errc::file_changed, errc::limit_exceeded, errc::io_error})
        CHECK(to_errc(to_refusal(make_error_code(e))) == e);
    CHECK(to_errc(to_refusal(make_error_code(errc::invalid_argument))) == errc::rejected);
    CHECK(to_errc(to_refusal(make_error_code(errc::file_not_found))) == errc::file_changed); // a shared file that is gone
    CHECK(to_errc(static_cast<file_refusal>(77)) == errc::rejected);
}

} // namespace messages_test
