// A peer whose words are chosen to confuse: whatever error it names is its own, never this node's.
#include "failure/operations.hpp"

#include <gigi/codec/cereal_codec.hpp>
#include <gigi/codec/framed.hpp>
#include <gigi/protocol/protocol.hpp>

#include <string>
#include <string_view>

namespace peer_test {

using namespace failure;

namespace {

/// Answers every request with an error of this name.
struct naysayer {
    std::string word;
    awaitable<void> operator()(stream incoming) const { return answer(std::move(incoming), word); }
    static awaitable<void> answer(stream incoming, std::string word) {
        framed<stream, cereal_codec> channel{std::move(incoming)};
        std::optional<std::size_t> const size = co_await channel.next_size(std::size_t{1} << 20);
        CHECK(size.has_value());
        gigi::detail::reply<std::string> no;
        no.error = word;
        co_await channel.write(no);
        channel.close_write();
        co_await sleep_for(1s);
    }
};

} // namespace

TEST_CASE("a peer that answers 'cancelled' or 'stopped' cancels and stops nothing here") {
    for (std::string const word : {"cancelled", "stopped", "nonsense"}) {
        CAPTURE(word);
        world w;
        w.start();
        for (char const *protocol : {"/gigi/nickname/1.0.0", "/gigi/direct/1.0.0", "/gigi/bytes/1.0.0", "/test/echo/1.0.0"}) w.bob->handle(protocol, naysayer{word});
        w.sim.run(dial(*w.alice, w.bob_at));
        w.sim.run_for(5s);
        for (auto const what : {ask, send_text_by_id}) {
            auto const ended = disturb_at(w.sim, w.alice->get_executor(), what(w), UINT64_MAX, [] {});
            CHECK_MESSAGE(ended.code() == errc::rejected, ended.message());
        }
        auto const all = disturb_at(w.sim, w.alice->get_executor(), send_to_all(w), UINT64_MAX, [] {});
        CHECK_MESSAGE(all.succeeded(), all.message());
        // Alice still meets others, and stops.
        auto const carol = w.add("carol", "10.0.0.3", {});
        w.sim.run(carol->start());
        w.sim.run(dial(*w.alice, w.address_of(*carol)));
        w.sim.run_for(1s);
        CHECK(w.alice->nickname_of(carol->id()) == "carol");
        w.check_stops();
        w.sim.run(carol->stop());
    }
}

} // namespace peer_test
