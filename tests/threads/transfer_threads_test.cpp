// Files with a real thread pool for disk work: what the strand and the pool share, under the thread sanitizer.
#include "unit/file/file_world.hpp"

using namespace gigi;
using namespace file_world;

namespace {

awaitable<void> share_and_fetch(any_io_executor ex, any_io_executor pool, std::size_t size, std::size_t sources) {
    temporary_folder const shared, output;
    bytes const content = random_content(size);
    auto const path = shared.write("a", content);
    std::vector<std::unique_ptr<server>> servers;
    std::string code;
    for (std::size_t i = 0; i < sources; ++i) {
        servers.push_back(std::make_unique<server>(ex, pool));
        code = co_await share(*servers.back(), path);
    }
    {
        file_download<pipe_end> one{ex, pool, share_code::parse(code).value(), output.path, download_options{}, download_callbacks{}};
        for (auto &s : servers) {
            auto *const to = s.get();
            one.add_source([to] { return open_to(*to); });
        }
        downloaded_file const done = co_await one.run();
        same(done.path, content);
    }
    for (auto &s : servers) co_await s->stop();
}


} // namespace

TEST_CASE("transfer: with threads") {
    asio::io_context io{1};
    asio::thread_pool pool{3};
    std::exception_ptr failure;
    asio::co_spawn(io, share_and_fetch(io.get_executor(), pool.get_executor(), 60 * chunk + 1, 2), [&](std::exception_ptr e) { failure = e; });
    io.run();
    CHECK(!failure);
}
