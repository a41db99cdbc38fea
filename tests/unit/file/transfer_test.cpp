// Files over the whole stack: swarm, yamux and noise over the network in memory.
#include "temporary_folder.hpp"

#include <gigi/file/transfer.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/testing/simulation.hpp>
#include <gigi/transport/memory.hpp>

#include <doctest/doctest.h>

#include <list>
#include <ostream>
#include <string>
#include <vector>

namespace transfer_test {

using namespace gigi;
namespace fs = std::filesystem;

namespace {

struct test_stack {
    using transport = memory_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

struct seen {
    std::vector<shared_entry> shared, revoked;
    std::vector<download_event> started, progress;
    std::vector<std::pair<download_event, downloaded_file>> finished;
    std::vector<std::pair<download_event, std::error_code>> failed;
    std::vector<std::pair<peer_id, upload_progress>> uploading;
    std::size_t hashing = 0;
};

/// A node with files only.
struct file_node {
    file_node(any_io_executor const &executor, memory_network &network, int number, file_service_options options = {})
        : address{"/ip4/10.0.0." + std::to_string(number) + "/tcp/4001"},
          self{identity::from_seed(seed(number))}, net{executor, self, swarm_options{}, [this](peer_id const &peer) { return known[peer]; }},
          files{net, executor, std::move(options), events_to(*this)} {
        net.add(std::make_unique<stack_connector<test_stack>>(memory_transport{network, "10.0.0." + std::to_string(number)}, self));
    }
    static ed25519_seed seed(int number) {
        ed25519_seed s{};
        s[0] = static_cast<std::uint8_t>(number);
        return s;
    }
    static file_events events_to(file_node &node) {
        file_events to;
        to.shared = [&](shared_entry const &e) { node.saw.shared.push_back(e); };
        to.revoked = [&](shared_entry const &e) { node.saw.revoked.push_back(e); };
        to.hashing = [&](fs::path const &, std::uint64_t, std::uint64_t) { ++node.saw.hashing; };
        to.download_started = [&](download_event const &e) { node.saw.started.push_back(e); };
        to.download_progress = [&](download_event const &e) { node.saw.progress.push_back(e); };
        to.download_finished = [&](download_event const &e, downloaded_file const &f) { node.saw.finished.emplace_back(e, f); };
        to.download_failed = [&](download_event const &e, std::error_code c, std::string const &) { node.saw.failed.emplace_back(e, c); };
        to.uploading = [&](peer_id const &p, upload_progress const &u) { node.saw.uploading.emplace_back(p, u); };
        return to;
    }
    void start() {
        net.start();
        net.listen(multiaddr::parse(address).value());
        files.start();
    }
    void knows(file_node const &other) { known[other.self.id()] = {multiaddr::parse(other.address).value()}; }
    awaitable<void> stop() {
        co_await files.stop();
        co_await net.stop();
    }

    std::string address;
    identity self;
    std::map<peer_id, std::vector<multiaddr>> known;
    seen saw;
    swarm net;
    file_service files;
};

awaitable<std::error_code> fetch(file_node &node, std::uint64_t id, std::vector<peer_id> peers, std::string code, fs::path folder) {
    try {
        co_await node.files.download(id, std::move(peers), std::move(code), std::move(folder));
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}
awaitable<void> fetch_into(file_node &node, std::uint64_t id, std::vector<peer_id> peers, std::string code, fs::path folder, std::error_code &out) {
    out = co_await fetch(node, id, std::move(peers), std::move(code), std::move(folder));
}

awaitable<void> take_offer(file_node &node, std::uint64_t id, peer_id from, std::string code, fs::path folder, std::uint64_t size, std::error_code &out) {
    try {
        co_await node.files.download_offered(id, std::move(from), std::move(code), std::move(folder), size);
    } catch (std::system_error const &e) {
        out = e.code();
    }
}

/// Takes a request, and never answers it.
awaitable<void> answer_nothing(stream) { co_await sleep_for(24h); }

/// Alice and Carol, who share the same file, and Bob, who knows both.
struct two_givers {
    two_givers(any_io_executor const &executor, memory_network &network, std::size_t size, file_service_options bobs = {})
        : alice{executor, network, 1}, carol{executor, network, 3}, bob{executor, network, 2, std::move(bobs)}, content{random_content(size)} {
        for (auto *node : {&alice, &carol, &bob}) node->start();
        bob.knows(alice);
        bob.knows(carol);
    }
    awaitable<void> share() {
        auto const path = shared.write("a", content);
        shared_entry const entry = co_await alice.files.share(path);
        co_await carol.files.share(path);
        code = entry.code;
    }
    std::vector<peer_id> both() const { return {alice.self.id(), carol.self.id()}; }
    bool bob_has_it() const { return temporary_folder::read(output.path / "a") == as_text(content); }

    temporary_folder const shared, output;
    file_node alice, carol, bob;
    bytes const content;
    std::string code;
};

template <class F> void run(F body) {
    asio::io_context io;
    seeded_random random{1};
    memory_network network{io.get_executor(), random};
    std::exception_ptr failure;
    bool finished = false;
    asio::co_spawn(io, body(network), [&](std::exception_ptr e) {
        failure = e;
        finished = true;
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    CHECK(finished);
}

} // namespace

TEST_CASE("file service: share, list, download, revoke") {
    run([](memory_network &network) -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        temporary_folder const shared, output, state;
        file_service_options options;
        options.share_list = state.path / "shared.json";
        file_node alice{executor, network, 1, options}, bob{executor, network, 2};
        alice.start();
        bob.start();
        bob.knows(alice);
        bytes const content = random_content(3'000'000);
        shared_entry const entry = co_await alice.files.share(shared.write("talk.pdf", content));
        CHECK(alice.saw.shared.size() == 1);
        CHECK(alice.saw.hashing > 0);
        CHECK(alice.files.shared().size() == 1);

        std::vector<list_entry> const list = co_await bob.files.list(alice.self.id());
        REQUIRE(list.size() == 1);
        CHECK(list[0].code == entry.code);
        CHECK(list[0].name == "talk.pdf");

        std::vector<peer_id> const from{alice.self.id()};
        auto const id = bob.files.new_id();
        downloaded_file const done = co_await bob.files.download(id, from, entry.code, output.path);
        CHECK(done.path == output.path / "talk.pdf");
        CHECK(temporary_folder::read(done.path) == as_text(content));
        REQUIRE(bob.saw.started.size() == 1);
        CHECK(bob.saw.started[0].id == id);
        CHECK(bob.saw.started[0].peer == alice.self.id());
        CHECK(bob.saw.started[0].state.size == content.size());
        REQUIRE(bob.saw.finished.size() == 1);
        CHECK(bob.saw.finished[0].first.code == entry.code);
        CHECK(bob.saw.progress.back().state.bytes == content.size());
        CHECK(bob.files.stats().downloads_finished == 1);
        REQUIRE(!alice.saw.uploading.empty());
        CHECK(alice.saw.uploading[0].first == bob.self.id());
        CHECK(alice.files.stats().bytes_uploaded == content.size());

        co_await alice.files.unshare(entry.code);
        CHECK(alice.saw.revoked.size() == 1);
        std::error_code code = co_await fetch(bob, bob.files.new_id(), from, entry.code, output.path);
        CHECK(code == errc::unknown_code);
        code = co_await fetch(bob, bob.files.new_id(), from, "not a code", output.path);
        CHECK(code == errc::unknown_code);
        CHECK(bob.saw.failed.size() == 2);
        std::vector<peer_id> const nobody{bob.self.id()};
        code = co_await fetch(bob, bob.files.new_id(), nobody, entry.code, output.path);
        CHECK(code == errc::self_dial);
        co_await bob.stop();
        co_await alice.stop();
    });
}

TEST_CASE("T30: shares outlive the service") {
    run([](memory_network &network) -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        temporary_folder const shared, output, state;
        file_service_options options;
        options.share_list = state.path / "shared.json";
        bytes const content = random_content(700'000);
        auto const path = shared.write("a", content);
        std::string code;
        {
            file_node alice{executor, network, 1, options};
            alice.start();
            shared_entry const entry = co_await alice.files.share(path);
            code = entry.code;
            co_await alice.stop();
        }
        file_node alice{executor, network, 1, options}, bob{executor, network, 2};
        alice.start();
        bob.start();
        bob.knows(alice);
        std::vector<peer_id> const from{alice.self.id()};
        std::error_code failed = co_await fetch(bob, 1, from, code, output.path);
        CHECK(!failed);
        CHECK(temporary_folder::read(output.path / "a") == as_text(content));
        co_await bob.stop();
        co_await alice.stop();
        state.write("shared.json", std::string_view{"{ damaged"});
        file_node again{executor, network, 1, options};
        CHECK_THROWS_AS(again.files.start(), error);
        CHECK(temporary_folder::read(state.path / "shared.json") == "{ damaged");
    });
}

TEST_CASE("file service: downloads wait for their place, and can be cancelled there and in the middle") {
    run([](memory_network &network) -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        temporary_folder const shared, output;
        file_service_options options;
        options.max_downloads = 1;
        file_node alice{executor, network, 1}, bob{executor, network, 2, options};
        alice.start();
        bob.start();
        bob.knows(alice);
        shared_entry const entry = co_await alice.files.share(shared.write("a", random_content(20'000'000)));
        std::vector<peer_id> const from{alice.self.id()};
        task_group tasks{executor};
        std::error_code codes[4];
        for (std::uint64_t id = 0; id < 4; ++id) tasks.spawn(fetch_into(bob, id, from, entry.code, output.path, codes[id]));
        for (int i = 0; i < 1000 && bob.saw.started.empty(); ++i) co_await sleep_for(10ms);
        CHECK(bob.files.downloads() == 4);
        CHECK(bob.files.stats().downloads_queued == 3);
        CHECK(bob.saw.started.size() == 1);
        bob.files.cancel(0);
        bob.files.cancel(2);
        bob.files.cancel(77);
        for (int i = 0; i < 1000 && bob.files.downloads() > 2; ++i) co_await sleep_for(10ms);
        CHECK(codes[0] == errc::cancelled);
        CHECK(codes[2] == errc::cancelled);
        CHECK(bob.files.downloads() == 2);
        co_await bob.files.stop(); // in the middle of the others
        co_await tasks.join();
        CHECK(codes[1] == errc::stopped);
        CHECK(codes[3] == errc::stopped);
        CHECK(bob.files.downloads() == 0);
        CHECK(bob.saw.finished.empty());
        CHECK(bob.saw.failed.size() == 4);
        co_await bob.net.stop();
        co_await alice.stop();
        CHECK(alice.files.uploads() == 0);
    });
}

TEST_CASE("file service: from several peers, while the connection to one is lost") {
    run([](memory_network &network) -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        two_givers w{executor, network, 20'000'000};
        co_await w.share();
        task_group tasks{executor};
        std::error_code code = make_error_code(errc::idle);
        tasks.spawn(fetch_into(w.bob, 1, w.both(), w.code, w.output.path, code));
        co_await sleep_for(100ms);
        co_await w.alice.stop();
        co_await tasks.join();
        CHECK(!code);
        CHECK(w.bob_has_it());
        CHECK(w.carol.files.stats().bytes_uploaded > 1'000'000);
        co_await w.bob.stop();
        co_await w.carol.stop();
    });
}

TEST_CASE("limits: file service: the peers that one download uses at once") {
    run([](memory_network &network) -> awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        file_service_options one_source;
        one_source.downloads.max_sources = 1;
        two_givers w{executor, network, 5'000'000, one_source};
        co_await w.share();
        std::error_code const code = co_await fetch(w.bob, 1, w.both(), w.code, w.output.path);
        CHECK(!code);
        CHECK(w.bob_has_it());
        CHECK(w.bob.files.stats().sources_delayed == 1);
        CHECK(w.carol.files.stats().bytes_uploaded == 0);
        co_await w.bob.stop();
        co_await w.alice.stop();
        co_await w.carol.stop();
    });
}

TEST_CASE("limits: file service: upload and download rates hold, and peers share them alike") {
    // In simulated time; a rate at either side.
    struct row {
        std::uint64_t upload, download;
        double seconds; // for the 2 MB of one
    };
    for (auto const &[upload, download, seconds] : {row{0, 0, 0}, row{200'000, 0, 20}, row{0, 200'000, 10}, row{200'000, 50'000, 40}}) {
        CAPTURE(upload);
        CAPTURE(download);
        testing::simulation sim;
        memory_network network{sim.get_executor(), sim.random()};
        temporary_folder const shared, first, second;
        file_service_options at_alice, at_others;
        at_alice.max_upload_rate = upload;
        at_others.max_download_rate = download;
        file_node alice{sim.get_executor(), network, 1, at_alice}, bob{sim.get_executor(), network, 2, at_others}, carol{sim.get_executor(), network, 3, at_others};
        for (auto *const node : {&alice, &bob, &carol}) node->start();
        bob.knows(alice);
        carol.knows(alice);
        auto const both = [&]() -> awaitable<void> {
            shared_entry const entry = co_await alice.files.share(shared.write("a", random_content(2'000'000)));
            std::vector<peer_id> const from{alice.self.id()};
            auto const start = sim.now();
            task_group tasks{sim.get_executor()};
            std::error_code codes[2];
            tasks.spawn(fetch_into(bob, 1, from, entry.code, first.path, codes[0]));
            tasks.spawn(fetch_into(carol, 1, from, entry.code, second.path, codes[1]));
            co_await sleep_for(std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds / 2)));
            if (upload > 0) { // half of it each, half way through
                REQUIRE_FALSE(bob.saw.progress.empty());
                REQUIRE_FALSE(carol.saw.progress.empty());
                auto const difference = static_cast<double>(bob.saw.progress.back().state.bytes) - static_cast<double>(carol.saw.progress.back().state.bytes);
                CHECK(std::abs(difference) <= 2 * 262'144);
            }
            co_await tasks.join();
            CHECK_FALSE(codes[0]);
            CHECK_FALSE(codes[1]);
            double const took = std::chrono::duration<double>(sim.now() - start).count();
            CHECK(took >= 0.9 * seconds);
            CHECK(took <= 1.1 * seconds + 1);
        };
        sim.run(both());
        CHECK((alice.files.stats().uploads_delayed > 0) == (upload > 0));
        CHECK((bob.files.stats().downloads_delayed > 0) == (download > 0));
        for (auto *const node : {&bob, &carol, &alice}) sim.run(node->stop());
    }
}

TEST_CASE("file service: stop does not wait for the rate of uploads") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    temporary_folder const shared, output;
    file_service_options slow;
    slow.max_upload_rate = 1000;
    file_node alice{sim.get_executor(), network, 1, slow};
    alice.start();
    auto const entry = sim.run(alice.files.share(shared.write("a", random_content(2'000'000))));
    std::list<file_node> others;
    task_group tasks{sim.get_executor()};
    std::vector<std::error_code> codes(8);
    for (int n = 0; n < 8; ++n) {
        auto &one = others.emplace_back(sim.get_executor(), network, n + 2);
        one.start();
        one.knows(alice);
        tasks.spawn(fetch_into(one, 1, std::vector<peer_id>(1, alice.self.id()), entry.code, output.path / std::to_string(n), codes[static_cast<std::size_t>(n)]));
    }
    sim.run_for(10s);
    CHECK(alice.files.uploads() == 8);
    auto const begun = sim.now();
    sim.run(alice.files.stop());
    CHECK(sim.now() - begun < 100ms);
    CHECK(alice.files.uploads() == 0);
    for (auto &one : others) sim.run(one.stop());
    sim.run(tasks.join());
    sim.run(alice.net.stop());
}

TEST_CASE("T4, T26, T29: file service: what peers offer takes no place of what was asked for, and has a deadline; each peer has one place") {
    testing::simulation sim;
    memory_network network{sim.get_executor(), sim.random()};
    temporary_folder const shared, output;
    file_service_options one_at_a_time;
    one_at_a_time.max_downloads = 1;
    file_node alice{sim.get_executor(), network, 1}, bob{sim.get_executor(), network, 2, one_at_a_time}, mallory{sim.get_executor(), network, 3};
    for (auto *const node : {&alice, &bob, &mallory}) node->start();
    bob.knows(alice);
    bob.knows(mallory);
    mallory.net.handle(std::string{file_protocol_id}, answer_nothing);
    auto const attack = [&]() -> awaitable<void> {
        shared_entry const wanted = co_await alice.files.share(shared.write("a", random_content(300'000)));
        shared_entry const offered = co_await alice.files.share(shared.write("b", random_content(100'000, 2)));
        std::string const never = share_code::of(merkle_hash{}, 160 << 10).to_string();
        auto const start = sim.now();
        task_group offers{sim.get_executor()};
        std::error_code codes[9];
        for (std::uint64_t id = 0; id < 8; ++id) offers.spawn(take_offer(bob, id, mallory.self.id(), never, output.path, 160 << 10, codes[id]));
        offers.spawn(take_offer(bob, 8, alice.self.id(), offered.code, output.path, offered.size, codes[8]));
        std::vector<peer_id> const from{alice.self.id()};
        std::error_code const failed = co_await fetch(bob, 9, from, wanted.code, output.path);
        CHECK_FALSE(failed);
        CHECK(sim.now() - start < 5s);
        co_await sleep_for(5s);
        CHECK(temporary_folder::read(output.path / "a").size() == 300'000);
        CHECK(temporary_folder::read(output.path / "b").size() == 100'000);
        CHECK(bob.files.downloads() == 8);
        co_await offers.join();
        auto const took = sim.now() - start;
        CHECK(took >= 8 * 40s); // one after the other: 30 s, and 160 KiB at 16 KiB a second
        CHECK(took < 8 * 41s);
        for (std::size_t i = 0; i < 8; ++i) CHECK(codes[i] == errc::timed_out);
        CHECK_FALSE(codes[8]);
        CHECK(output.count() == 2);
        // An offer that lied about the size.
        std::error_code lied;
        co_await take_offer(bob, 10, alice.self.id(), wanted.code, output.path, 299'999, lied);
        CHECK(lied == errc::message_too_large);
        CHECK(output.count() == 2);
        CHECK(bob.files.stats().downloads_queued == 0);
    };
    sim.run(attack());
    for (auto *const node : {&bob, &mallory, &alice}) sim.run(node->stop());
}

} // namespace transfer_test
