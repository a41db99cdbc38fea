// Bytes come out as they went in, however they are split.
#include <gigi/mux/byte_queue.hpp>

#include <doctest/doctest.h>

#include <random>

namespace byte_queue_test {

using namespace gigi;

TEST_CASE("byte_queue: random pushes, pops and takes keep the order") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        byte_queue queue, spent;
        bytes sent, received;
        std::uint8_t next = 0;
        for (int step = 0; step < 400; ++step) {
            std::size_t const n = random() % (seed % 3 == 0 ? 20'000 : 300);
            if (random() % 2) {
                bytes data(n);
                for (auto &b : data) b = next++;
                queue.push(data);
                append(sent, data);
            } else if (random() % 2) {
                bytes out(n);
                std::size_t const got = queue.pop(out);
                REQUIRE(got <= n);
                append(received, bytes_view{out}.first(got));
            } else {
                std::vector<bytes_view> pieces;
                std::size_t const m = std::min(n, queue.size());
                queue.take(m, pieces, spent);
                bytes more(random() % 500); // what is added meanwhile must not disturb the views
                for (auto &b : more) b = next++;
                queue.push(more);
                append(sent, more);
                std::size_t total = 0;
                for (auto const piece : pieces) {
                    total += piece.size();
                    append(received, piece);
                }
                REQUIRE(total == m);
                spent.clear();
            }
            REQUIRE(queue.size() == sent.size() - received.size());
        }
        bytes rest(queue.size());
        REQUIRE(queue.pop(rest) == rest.size());
        append(received, rest);
        CHECK(queue.empty());
        CHECK(received == sent);
    }
}

} // namespace byte_queue_test
