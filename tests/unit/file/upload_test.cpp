#include "file_world.hpp"

#include <gigi/peer/identity.hpp>

namespace upload_test {

using namespace gigi;
using namespace file_world;

namespace {

using client_ptr = std::unique_ptr<file_client<pipe_end>>;

std::vector<peer_id> some_peers(std::size_t count) {
    seeded_random random{1};
    std::vector<peer_id> all;
    while (all.size() < count) all.push_back(identity::generate(random).id());
    return all;
}

client_ptr connect(server &s, peer_id const &peer) { return std::make_unique<file_client<pipe_end>>(s.connect(peer), 10s); }

/// Takes the first chunk of a file, as an honest downloader would. @return what came instead
awaitable<std::error_code> take_chunk(file_client<pipe_end> &client, share_code code) {
    try {
        manifest const described = co_await client.describe(code);
        range_request const first{described.root, 0, 1};
        co_await client.request_range(first);
        (void)co_await client.next_chunk();
        bytes buffer(described.map().size_of(0));
        for (std::size_t got = 0; got < buffer.size();) {
            mutable_bytes const rest = mutable_bytes{buffer}.subspan(got);
            std::size_t const n = co_await client.read_some(rest);
            if (n == 0) co_return make_error_code(errc::end_of_stream);
            got += n;
        }
    } catch (std::system_error const &e) {
        co_return e.code();
    }
    co_return std::error_code{};
}

awaitable<void> to_its_end(file_upload<pipe_end> &one) {
    try {
        co_await one.run();
    } catch (std::system_error const &) { // that is an end, too
    }
}

std::size_t open_descriptors() {
    fs::path const all = "/proc/self/fd";
    return fs::exists(all) ? static_cast<std::size_t>(std::distance(fs::directory_iterator{all}, {})) : 0;
}

} // namespace

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

TEST_CASE("T4: upload: streams that have what they asked for take no slot from others") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        auto const peers = some_peers(2);
        std::string const typed = co_await share_content(w, s, "a", random_content(3 * chunk));
        share_code const code = share_code::parse(typed).value();
        std::vector<client_ptr> idle;
        for (std::size_t i = 0; i < 2 * s.options.max_uploads; ++i) {
            idle.push_back(connect(s, peers[0]));
            std::error_code const failed = co_await take_chunk(*idle.back(), code);
            CHECK_FALSE(failed);
        }
        co_await sleep_for(1s);
        CHECK(s.slots.used == 0);
        CHECK(s.slots.of_peer.empty());
        client_ptr const other = connect(s, peers[1]);
        std::error_code failed = co_await take_chunk(*other, code);
        CHECK_FALSE(failed);
        failed = co_await take_chunk(*idle.front(), code); // and they get more when they ask
        CHECK_FALSE(failed);
        CHECK(s.slots.refused == 0);
        for (auto const &one : idle) one->close();
        other->close();
        co_await w.stop();
    });
}

TEST_CASE("T4: upload: of the slots one peer has a quarter, however many streams it does not read") {
    struct row {
        std::size_t slots, share;
    };
    for (row const &r : {row{32, 8}, row{8, 2}, row{3, 1}, row{1, 1}}) {
        CAPTURE(r.slots);
        run([r](world &w) -> awaitable<void> {
            auto &s = w.add_server();
            s.options.max_uploads = r.slots;
            auto const peers = some_peers(2);
            std::string const typed = co_await share_content(w, s, "a", random_content(16 * chunk));
            share_code const code = share_code::parse(typed).value();
            std::vector<client_ptr> greedy;
            for (std::size_t i = 0; i < 64; ++i) {
                greedy.push_back(connect(s, peers[0]));
                range_request const all{s.files.find(typed)->root, 0, 16};
                co_await greedy.back()->request_range(all);
            }
            co_await sleep_for(1s);
            CHECK(s.slots.used == r.share);
            CHECK(s.slots.refused == 64 - r.share);
            client_ptr const other = connect(s, peers[1]);
            std::error_code const failed = co_await take_chunk(*other, code);
            CHECK(failed == (r.slots == 1 ? make_error_code(errc::limit_exceeded) : std::error_code{}));
            co_await sleep_for(s.options.write_timeout + 1s); // who takes nothing is given up
            CHECK(s.slots.used == 0);
            CHECK(s.slots.of_peer.empty());
            greedy.clear();
            other->close();
            co_await w.stop();
        });
    }
}

TEST_CASE("upload: reads that fail are refused, one after the other, and the buffers are there for the next") {
    run([](world &w) -> awaitable<void> {
        slow_pool disk;
        w.servers.push_back(std::make_unique<server>(w.ex, disk.jobs.get_executor()));
        auto &s = *w.servers.back();
        task_group driver{w.ex};
        driver.spawn(disk.work());
        std::string const typed = co_await share_content(w, s, "a", random_content(chunk));
        auto const path = w.shared.path / "a";
        auto const shared_at = fs::last_write_time(path);
        bool changed = false;
        disk.after = [&] { // opened as it was, read as another
            changed = !changed;
            fs::last_write_time(path, changed ? shared_at + 1s : shared_at);
        };
        file_client<pipe_end> client{s.connect(), 10s};
        range_request const first{s.files.find(typed)->root, 0, 1};
        for (int n = 0; n < 6; ++n) {
            co_await client.request_range(first);
            std::error_code result;
            try {
                (void)co_await with_timeout(client.next_chunk(), 10s);
            } catch (std::system_error const &e) {
                result = e.code();
            }
            CHECK(result == errc::file_changed);
        }
        disk.after = nullptr;
        co_await client.request_range(first);
        std::uint32_t const got = co_await with_timeout(client.next_chunk(), 10s);
        CHECK(got == 0);
        client.close();
        co_await w.stop();
        driver.cancel();
        co_await driver.join();
    });
}

TEST_CASE("upload: a stream that is still sending is not idle, however slowly it may send") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        s.pace = std::make_unique<rate_gate>(w.ex, 1024);
        auto const peers = some_peers(1);
        std::string const typed = co_await share_content(w, s, "a", random_content(chunk));
        client_ptr const client = connect(s, peers[0]);
        context_clock const clock{w.ex};
        auto const begun = clock.now();
        std::error_code const failed = co_await take_chunk(*client, share_code::parse(typed).value());
        CHECK_FALSE(failed);
        CHECK(clock.now() - begun > 4min);
        co_await sleep_for(s.options.idle_timeout - 5s);
        CHECK(s.ends.empty());
        co_await sleep_for(10s); // and then it is
        CHECK(s.ends == std::vector{make_error_code(errc::timed_out)});
        co_await w.stop();
    });
}

TEST_CASE("upload: the uploads of peers that go away end at once, also where they wait for their rate, and nobody waits for their turns") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        s.pace = std::make_unique<rate_gate>(w.ex, 1000);
        auto const peers = some_peers(9);
        std::string const typed = co_await share_content(w, s, "a", random_content(16 * chunk));
        std::vector<client_ptr> gone;
        for (std::size_t i = 0; i < 8; ++i) {
            gone.push_back(connect(s, peers[i]));
            for (std::uint32_t first : {0u, 8u}) {
                range_request const half{s.files.find(typed)->root, first, 8};
                co_await gone.back()->request_range(half);
            }
        }
        co_await sleep_for(3s);
        CHECK(s.slots.used == 8);
        for (auto const &one : gone) one->reset();
        co_await sleep_for(100ms);
        CHECK(s.ends == std::vector(8, make_error_code(errc::reset)));
        CHECK(s.slots.used == 0);
        client_ptr const other = connect(s, peers[8]);
        range_request const first{s.files.find(typed)->root, 0, 1};
        co_await other->request_range(first);
        (void)co_await other->next_chunk();
        bytes buffer(100);
        std::size_t const got = co_await with_timeout(other->read_some(buffer), 3s); // 1 KiB for one of those who are gone, and ours
        CHECK(got > 0);
        other->reset();
        co_await w.stop();
    });
}

TEST_CASE("upload: reset ends it at once, also where it waits for its rate or for its disk") {
    run([](world &w) -> awaitable<void> {
        slow_pool disk;
        w.servers.push_back(std::make_unique<server>(w.ex, disk.jobs.get_executor()));
        auto &s = *w.servers.back();
        task_group driver{w.ex}, uploads{w.ex};
        driver.spawn(disk.work());
        rate_gate gate{w.ex, 1000};
        auto const peers = some_peers(8);
        std::string const typed = co_await share_content(w, s, "a", random_content(16 * chunk));
        std::vector<std::unique_ptr<file_upload<pipe_end>>> all;
        std::vector<client_ptr> clients;
        for (auto const &peer : peers) {
            auto const l = std::make_shared<line>(w.ex);
            clients.push_back(std::make_unique<file_client<pipe_end>>(pipe_end{l, 0}, 10s));
            all.push_back(std::make_unique<file_upload<pipe_end>>(pipe_end{l, 1}, peer, w.ex, s.pool, s.files, s.slots, upload_options{}, nullptr, rate_pass{gate, peer}));
            uploads.spawn(to_its_end(*all.back()));
            range_request const whole{s.files.find(typed)->root, 0, 16};
            co_await clients.back()->request_range(whole);
        }
        co_await sleep_for(5ms);
        for (std::size_t i = 0; i < 4; ++i) all[i]->reset(); // the disk is at work
        co_await sleep_for(3s);
        CHECK(uploads.size() == 4);
        for (auto const &one : all) one->reset();
        co_await sleep_for(100ms);
        CHECK(uploads.empty());
        co_await uploads.join();
        all.clear();
        CHECK(s.slots.used == 0);
        driver.cancel();
        co_await driver.join();
    });
}

TEST_CASE("upload: a peer that has ended its side gets all that it asked for, however slowly") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        s.pace = std::make_unique<rate_gate>(w.ex, 10'000);
        auto const peers = some_peers(1);
        std::string const typed = co_await share_content(w, s, "a", random_content(2 * chunk));
        auto const root = s.files.find(typed)->root;
        framed<pipe_end, cereal_codec> client{s.connect(peers[0])};
        for (std::uint32_t n = 0; n < 40; ++n) { // more than are read ahead; lists and hashes in between, which wait for the chunks before them
            file_request request;
            if (n % 20 == 0)
                request.what = range_request{root, n / 20, 1};
            else if (n % 2 == 0)
                request.what = layer_request{root, 0};
            else
                request.what = list_request{};
            client.put(request);
        }
        co_await client.flush();
        client.close_write();
        bytes buffer(chunk);
        for (std::uint32_t n = 0; n < 40; ++n) {
            CAPTURE(n);
            std::optional<file_answer> const got = co_await client.try_read<file_answer>();
            REQUIRE(got);
            std::size_t const wanted = n % 20 == 0 ? 4 : n % 2 == 0 ? 3 : 1;
            CHECK(got->what.index() == wanted);
            for (std::size_t at = 0; n % 20 == 0 && at < chunk;) {
                mutable_bytes const rest = mutable_bytes{buffer}.subspan(at);
                std::size_t const more = co_await client.read_some(rest);
                REQUIRE(more > 0);
                at += more;
            }
        }
        std::optional<file_answer> const end = co_await client.try_read<file_answer>();
        CHECK(!end);
        client.close_write();
        co_await sleep_for(1s);
        CHECK(s.ends == std::vector{std::error_code{}});
        CHECK(s.slots.pages.used == 0);
        co_await w.stop();
    });
}

TEST_CASE("T4: upload: streams hold no more descriptors than there are slots") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        s.options.max_uploads = 8;
        auto const peers = some_peers(64);
        std::string const typed = co_await share_content(w, s, "a", random_content(16 * chunk));
        share_code const code = share_code::parse(typed).value();
        std::size_t const before = open_descriptors();
        std::vector<client_ptr> held;
        for (auto const &peer : peers) {
            held.push_back(connect(s, peer));
            (void)co_await held.back()->describe(code);
        }
        CHECK(open_descriptors() == before);
        for (auto const &one : held) {
            range_request const all{s.files.find(typed)->root, 0, 16};
            co_await one->request_range(all);
        }
        co_await sleep_for(1s);
        CHECK(s.slots.used == 8);
        CHECK(open_descriptors() <= before + 8);
        co_await sleep_for(s.options.write_timeout + 1s);
        CHECK(open_descriptors() == before);
        held.clear();
        co_await w.stop();
    });
}

} // namespace upload_test
