#include "file_world.hpp"

#include <gigi/file/client.hpp>

using namespace gigi;
using namespace file_world;

TEST_CASE("transfer: the list, in pages") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        file_client<pipe_end> client{s.connect(), 10s};
        std::vector<list_entry> all = co_await client.list(10'000);
        CHECK(all.empty());
        for (int i = 0; i < 600; ++i) co_await share_content(w, s, "f" + std::to_string(i), to_bytes(std::to_string(i)));
        all = co_await client.list(10'000);
        CHECK(all.size() == 600);
        CHECK(std::ranges::is_sorted(all, {}, &list_entry::code));
        CHECK(all[0].size == s.files.find(all[0].code)->entry.size);
        all = co_await client.list(300);
        CHECK(all.size() == 300);
        client.close();
        co_await w.stop();
    });
}
