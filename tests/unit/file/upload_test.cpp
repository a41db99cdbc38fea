#include "file_world.hpp"

using namespace gigi;
using namespace file_world;

TEST_CASE("upload: what a peer must not ask ends the stream, and nothing else") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        std::string const code = co_await share_content(w, s, "a", random_content(3 * chunk));
        auto const root = s.files.find(code)->root;
        struct row {
            range_request range;
            errc wanted;
        };
        std::vector<row> const rows{{{root, 3, 1}, errc::rejected},          {{root, 0, 4}, errc::rejected},
                                    {{root, 0xffffffff, 2}, errc::rejected}, {{merkle_hash{}, 0, 1}, errc::unknown_code}};
        file_client<pipe_end> client{s.connect(), 10s};
        for (auto const &[range, wanted] : rows) {
            co_await client.request_range(range);
            std::error_code result;
            try {
                co_await client.next_chunk();
            } catch (std::system_error const &e) {
                result = e.code();
            }
            CHECK(result == wanted);
        }
        for (std::string const raw : {"00", "05ffffffffff", "ffffffff0f"}) { // not a request; too large
            pipe_end end = s.connect();
            bytes const message = from_hex(raw).value();
            co_await end.write(message);
            bytes buffer(10);
            std::error_code result;
            try {
                co_await end.read_some(buffer);
            } catch (std::system_error const &e) {
                result = e.code();
            }
            CHECK(result == errc::reset);
        }
        manifest const still = co_await client.describe(share_code::parse(code).value());
        CHECK(still.size == 3 * chunk);
        client.close();
        co_await w.stop();
    });
}

TEST_CASE("T25: a file that changes while it is sent is cut off, not sent wrong") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        bytes const content = random_content(16 * chunk);
        std::string const code = co_await share_content(w, s, "a", content);
        auto const path = w.shared.path / "a";
        bool changed = false;
        s.on_connect = [&](line &l) {
            l.ways[1].damage = [&](mutable_bytes, std::uint64_t position) {
                if (position > 4 * chunk && !std::exchange(changed, true)) fs::resize_file(path, 5 * chunk);
            };
        };
        w.options.max_reopens = 1;
        w.options.reopen_pause = 1ms;
        co_await w.get(code);
        CHECK((w.failed == errc::file_changed || w.failed == condition::closed));
        CHECK(fs::exists(w.output.path / "a.part"));
        CHECK(w.output.count() == 2);
        co_await w.stop();
    });
}
