// Attacks by a peer that serves a file, and by one that asks for one: T21, T23–T27, T29. What they say is written by hand; beside a
// hostile server there may be an honest one.
#include "attacks/hostile_server.hpp"
#include "attacks/memory_meter.hpp"

#include <gigi/file/hash_cache.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/testing/hostile_bytes.hpp>
#include <gigi/testing/simulation.hpp>

#include <string>
#include <vector>

namespace file_test {

using namespace gigi;
using namespace gigi::testing;
using namespace file_world;

namespace {

/// A victim that downloads from the hostile peer, and from an honest one where there is one.
struct hostile_world {
    explicit hostile_world(std::size_t size = 8 * chunk + 77) : evil{random_content(size)} {}
    ~hostile_world() {
        tasks.cancel();
        sim.run(tasks.join());
        sim.run(w.stop());
    }
    void add_honest() {
        auto const work = [this]() -> awaitable<void> {
            std::string const code = co_await share_content(w, w.add_server(), "a", evil.content);
            CHECK(code == evil.code());
        };
        sim.run(work());
    }
    fs::path get() {
        auto &d = w.prepare(evil.code());
        d.add_source([this] { return open(); });
        fs::path path;
        auto const work = [&]() -> awaitable<void> {
            try {
                downloaded_file const done = co_await d.run();
                path = done.path;
            } catch (std::system_error const &e) {
                w.failed = e.code();
            }
        };
        w.failed.clear();
        sim.run(work(), 1h);
        w.last.reset();
        sim.run_for(1s);
        return path;
    }
    awaitable<pipe_end> open() {
        ++evil.connections;
        auto const l = std::make_shared<line>(sim.get_executor());
        tasks.spawn(serve_hostile(evil, pipe_end{l, 1}));
        co_return pipe_end{l, 0};
    }
    /// What is in the folder under a name of its own.
    std::vector<std::string> finished() const {
        std::vector<std::string> names;
        for (auto const &entry : fs::directory_iterator{w.output.path}) {
            auto const name = entry.path().filename().string();
            if (!name.ends_with(".part") && !name.ends_with(".journal")) names.push_back(name);
        }
        return names;
    }

    simulation sim{25};
    world w{sim.get_executor()};
    hostile_server evil;
    task_group tasks{sim.get_executor()};
};

/// Sends requests as they are, and ends. @return every byte that comes back
awaitable<bytes> all_answers(server &s, std::vector<decltype(file_request::what)> questions) {
    pipe_end end = s.connect();
    bytes asked;
    for (auto const &one : questions) {
        file_request request;
        request.what = one;
        append_frame_of(asked, [&](bytes &to) { cereal_codec{}.encode(request, to); });
    }
    co_await end.write(asked);
    end.close_write();
    bytes all, buffer(64 << 10);
    try {
        for (;;) {
            std::size_t const n = co_await end.read_some(buffer);
            if (n == 0) break;
            append(all, bytes_view{buffer}.first(n));
        }
    } catch (std::system_error const &e) {
        if (e.code() != errc::reset) throw;
    }
    co_return all;
}

/// A server alone, which anything can be asked.
struct server_world {
    ~server_world() { sim.run(w.stop()); }
    std::string share(std::string name, bytes content) { return sim.run(share_content(w, s, std::move(name), std::move(content))); }
    bytes ask(std::vector<decltype(file_request::what)> questions) { return sim.run(all_answers(s, std::move(questions))); }

    simulation sim{26};
    world w{sim.get_executor()};
    server &s = w.add_server();
};

struct lie {
    std::string what;
    std::function<void(hostile_server &)> tell;
};

std::vector<lie> const &lies() {
    using server = hostile_server;
    static std::vector<lie> const all{
        {"T27: a chunk that was not asked for", [](server &s) { s.on_range = [](auto const &me, auto const &r) { return me.chunk_bytes(r.first == 0 ? 1 : 0); }; }},
        {"T27: a chunk that there is not", [](server &s) { s.on_range = [](auto const &, auto const &) { return answer_bytes(chunk_header{0xffffffff}); }; }},
        {"T27: every chunk twice", [](server &s) { s.on_range = [](auto const &me, auto const &r) {
             bytes out = me.chunk_bytes(r.first);
             append(out, me.run_of(r));
             return out;
         }; }},
        {"T27: other bytes", [](server &s) { s.on_range = [](auto const &me, auto const &r) {
             bytes out = me.run_of(r);
             out[out.size() / 2] ^= 1;
             return out;
         }; }},
        {"T27: chunks in another order", [](server &s) { s.on_range = [](auto const &me, auto const &r) {
             bytes out;
             for (std::uint32_t n = r.count; n-- > 0;) append(out, me.chunk_bytes(r.first + n));
             return out;
         }; }},
        {"T27: hashes of another file", [](server &s) { s.on_layer = [](auto const &me, auto const &r) {
             auto page = make_layer_page(me.hashes, r.page);
             page.hashes[0][5] ^= 1;
             return answer_bytes(layer_page_message{std::move(page.hashes), std::move(page.proof)});
         }; }},
        {"T27: no hashes", [](server &s) { s.on_layer = [](auto const &, auto const &) { return answer_bytes(layer_page_message{}); }; }},
        {"T27: a list of files for an answer", [](server &s) { s.on_range = [](auto const &, auto const &) { return answer_bytes(list_page{}); }; }},
        {"T26: chunks before they are asked for", [](server &s) { s.on_manifest = [](auto const &me) {
             bytes out = answer_bytes(me.described);
             append(out, me.chunk_bytes(0));
             return out;
         }; }},
        {"T25: a size that lies", [](server &s) { s.on_manifest = [](auto const &me) {
             manifest other = me.described;
             other.size *= 1000;
             return answer_bytes(other);
         }; }},
        {"T25: a size of 2^63", [](server &s) { s.on_manifest = [](auto const &me) {
             manifest other = me.described;
             other.size = std::uint64_t{1} << 63;
             return answer_bytes(other);
         }; }},
        {"T2: a frame of 2^62 bytes", [](server &s) { s.on_range = [](auto const &, auto const &) { return frame_bytes(std::uint64_t{1} << 62, bytes(100)); }; }},
        {"T28: a body that is none", [](server &s) { s.on_manifest = [](auto const &) { return frame_bytes(bytes(40, 0xff)); }; }},
        {"T25: it never ends", [](server &s) {
             s.on_range = [](auto const &, auto const &) { return answer_bytes(chunk_header{0}); };
             s.then_endless = true;
         }},
        {"T29: a byte a second", [](server &s) {
             s.on_range = [](auto const &, auto const &) { return answer_bytes(chunk_header{0}); };
             s.then_endless = true;
             s.pause = 1s;
         }},
    };
    return all;
}

} // namespace

TEST_CASE("T25, T26, T27, T29: files: whatever a serving peer says, an honest one's file arrives, and nothing else does") {
    for (auto const &one : lies()) {
        CAPTURE(one.what);
        hostile_world t;
        one.tell(t.evil);
        t.add_honest();
        memory_meter::span const used;
        fs::path const path = t.get();
        CHECK_FALSE(t.w.failed);
        REQUIRE(path == t.w.output.path / "a");
        same(path, t.evil.content);
        CHECK(t.finished().size() == 1);
        CHECK(used.most() < 32 * chunk); // the windows of two sources, and what is being verified
    }
}

TEST_CASE("T25, T26, T27, T29: files: alone, a peer that lies leaves nothing under the file's name") {
    for (auto const &one : lies()) {
        CAPTURE(one.what);
        hostile_world t;
        one.tell(t.evil);
        memory_meter::span const used;
        t.get();
        CHECK(t.w.failed);
        CHECK(t.finished().empty());
        CHECK(t.evil.connections <= 4);
        CHECK(used.most() < 32 * chunk); // both sides
        CHECK(t.evil.sent < 16 * chunk); // it is cut off, not listened to
    }
    hostile_world t; // the same without a lie
    fs::path const path = t.get();
    CHECK_FALSE(t.w.failed);
    same(path, t.evil.content);
}

TEST_CASE("T21, T23, T24: files: no name that a peer gives leads out of the folder, onto another file, or to a terminal") {
    std::vector<std::string> const names{
        "../../outside", "/etc/passwd", "..", ".", "", "a/../../b", "..\\..\\outside", "C:\\windows\\system.ini", std::string("a\0/../b", 7),
        ".bashrc", ".ssh/authorized_keys", "\x1b]0;title\x07" "a", "\x1b[2J", "a\r\nb", "CON", "nul.txt", "LPT1", "a:stream", "a ", "a.", std::string(255, 'x'),
        "\xe2\x80\xae" "gpj.exe", "a\xff\xfe", "taken", "k7qm-3fz2-aaaa-bbbb-cccc", "~/x", "$(reboot)", "-rf",
    };
    for (auto const &name : names) {
        CAPTURE(name);
        hostile_world t{1000};
        temporary_folder const around; // whose folder inside is the output
        t.w.destination = around.path / "in" / "out";
        fs::create_directories(t.w.destination);
        around.write("in/out/taken", "mine");
        t.evil.described.name = name;
        fs::path const path = t.get();
        CHECK_FALSE(t.w.failed);
        CHECK(path.parent_path() == t.w.destination);
        std::size_t files = 0;
        for (auto const &entry : fs::recursive_directory_iterator{around.path})
            if (entry.is_regular_file()) ++files;
        CHECK(files == 2);
        CHECK(temporary_folder::read(around.path / "in/out/taken") == "mine");
        for (auto const c : path.filename().string()) CHECK_FALSE(static_cast<unsigned char>(c) < 0x20);
        CHECK_FALSE(path.filename().string().starts_with("."));
        CHECK_FALSE(path.filename() == "CON");
        CHECK(path.filename().string().size() <= 200);
    }
}

TEST_CASE("T21: files: codes and hashes that are paths name nothing, neither at a peer nor here") {
    server_world t;
    std::string const code = t.share("a", random_content(1000));
    t.w.shared.write("secret", std::string_view{"secret"});
    std::string const folder = t.w.shared.path.string();
    for (auto const &path : {folder + "/secret", folder + "/a", std::string{"secret"}, std::string{"a"}, std::string{"../secret"}, std::string{"/etc/passwd"},
                             std::string{"..\\..\\boot.ini"}, std::string("a\0b", 3), std::string{}, std::string{"."}, std::string{"/etc/../etc/./passwd"}, code + "/../secret", "../" + code}) {
        CAPTURE(path);
        CHECK_FALSE(share_code::parse(path));
        bytes const back = t.ask({manifest_request{path}});
        CHECK(back == answer_bytes(file_failure{file_refusal::unknown_code}));
        bytes const list = t.ask({list_request{path}});
        CHECK(as_text(list).find("secret") == std::string_view::npos);
    }
}

TEST_CASE("T27: files: whatever is asked of a serving peer, its answers hold what is shared and nothing else") {
    server_world t;
    auto &s = t.s;
    bytes const content = random_content(3 * chunk + 5);
    std::string const code = t.share("a", content);
    auto const other = t.share("b", random_content(7, 2));
    hostile_server const honest{content}; // knows what the answers should be
    auto const root = s.files.find(code)->root, small = s.files.find(other)->root;
    bytes const refused = answer_bytes(file_failure{file_refusal::bad_request}), unknown = answer_bytes(file_failure{file_refusal::unknown_code});
    for (std::uint32_t const first : {0u, 1u, 3u, 4u, 0x7fffffffu, 0xffffffffu})
        for (std::uint32_t const count : {0u, 1u, 2u, 4u, 5u, 1024u}) {
            CAPTURE(first);
            CAPTURE(count);
            range_request const range{root, first, count};
            bytes const back = t.ask({range});
            bool const there = first < 4 && count <= 4 - first;
            if (count > 0 || there) CHECK(back == (there ? honest.run_of(range) : refused));
        }
    for (std::uint32_t const count : {1025u, 0xffffffffu}) { // no request at all
        bytes const back = t.ask({range_request{root, 0, count}});
        CHECK(back.empty());
    }
    for (std::uint32_t const page : {1u, 2u, 0xffffffffu}) {
        bytes const back = t.ask({layer_request{root, page}});
        CHECK(back == refused);
    }
    bytes const layer = t.ask({layer_request{small, 0}}); // of one chunk, which is the root
    CHECK(layer == answer_bytes(layer_page_message{{small}, {}}));
    bytes const stranger = t.ask({range_request{merkle_hash{}, 0, 1}});
    CHECK(stranger == unknown);
    // What was sent before is not sent again: a large chunk, then seven bytes, over the same buffers.
    bytes const both = t.ask({range_request{root, 0, 4}, range_request{small, 0, 1}});
    bytes expected = honest.run_of({root, 0, 4});
    append(expected, answer_bytes(chunk_header{0}));
    append(expected, random_content(7, 2));
    CHECK(both == expected);
}

TEST_CASE("T5: files: streams that have what they asked for hold no buffers") {
    run([](world &w) -> awaitable<void> {
        auto &s = w.add_server();
        std::string const typed = co_await share_content(w, s, "a", random_content(5 * chunk));
        std::vector<std::unique_ptr<file_client<pipe_end>>> idle;
        bytes buffer(chunk);
        memory_meter::span const used;
        for (std::size_t i = 0; i < 64; ++i) {
            idle.push_back(std::make_unique<file_client<pipe_end>>(s.connect(), 10s));
            range_request const all{s.files.find(typed)->root, 0, 5};
            co_await idle.back()->request_range(all);
            for (int n = 0; n < 5; ++n) {
                (void)co_await idle.back()->next_chunk();
                for (std::size_t got = 0; got < chunk;) {
                    mutable_bytes const rest = mutable_bytes{buffer}.subspan(got);
                    got += co_await idle.back()->read_some(rest);
                }
            }
        }
        co_await sleep_for(1s);
        CHECK(s.slots.bytes == 64 * 5 * chunk);
        MESSAGE("64 idle streams hold ", used.held() >> 10, " KiB");
        CHECK(used.held() < std::size_t{1} << 20);
        for (auto const &one : idle) one->close();
        co_await w.stop();
    });
}

TEST_CASE("T5: files: who asks for lists and hashes on many streams, many times, and reads none makes a node hold 4 MiB, and all together 16 MiB") {
    for (bool const hashes : {true, false}) {
        CAPTURE(hashes);
        run([hashes](world &w) -> awaitable<void> {
            // A file of 1 GiB, of which there are only the hashes; and 255 more, so that a page of the list is full.
            fs::path const list_file = w.shared.path / "list.json";
            file_hashes of_large;
            of_large.map = chunk_map::of(std::uint64_t{4096} * chunk);
            of_large.chunks.resize(4096);
            of_large.root = root_of_chunks(of_large.map, of_large.chunks);
            hash_cache const cache{w.shared.path / "list.json.hashes"};
            std::error_code const stored = cache.store(of_large);
            REQUIRE(!stored);
            share_list list;
            for (std::uint8_t n = 0;; ++n) {
                merkle_hash other{};
                other[0] = n;
                shared_entry entry;
                entry.size = n ? n : of_large.map.size;
                entry.root = to_hex(n ? other : of_large.root);
                entry.code = share_code::of(n ? other : of_large.root, entry.size).to_string();
                entry.path = "/nowhere";
                entry.name = std::string(255, 'n');
                list.add(entry);
                if (n == 255) break;
            }
            list.save(list_file);
            w.servers.push_back(std::make_unique<server>(w.ex, w.ex, list_file));
            auto &s = *w.servers.back();
            s.files.load();
            CHECK(s.files.entries().size() == 256);
            auto const share = s.files.find(of_large.root);
            (void)co_await s.files.hashes_of(share);

            seeded_random random{1};
            std::vector<std::unique_ptr<channel_to_victim>> greedy;
            auto const carried = [&] { // what is in the lines, which is not the node's
                std::size_t sum = 0;
                for (auto const &one : greedy)
                    for (auto const &way : one->stream().both().ways) sum += way.data.capacity();
                return sum;
            };
            file_request question;
            if (hashes)
                question.what = layer_request{of_large.root, 0};
            else
                question.what = list_request{};
            memory_meter::span const used;
            std::size_t most = 0, with_nothing = 0;
            for (int peers = 0; peers <= 6; ++peers) { // of the last ones none has a place
                peer_id const greedy_one = identity::generate(random).id();
                for (int i = 0; i < 64; ++i) {
                    greedy.push_back(std::make_unique<channel_to_victim>(s.connect(greedy_one)));
                    for (int n = 0; n < 16 && peers > 0; ++n) greedy.back()->put(question);
                    co_await greedy.back()->flush();
                }
                co_await sleep_for(1s);
                std::size_t const held = used.held() - carried();
                if (peers == 0) with_nothing = held;
                std::size_t const pages = held - std::min(held, with_nothing * static_cast<std::size_t>(peers + 1));
                MESSAGE(peers, " peers: ", pages >> 10, " KiB");
                if (peers == 1) {
                    CHECK(pages <= std::size_t{4} << 20);
                    file_client<pipe_end> honest{s.connect(identity::generate(random).id()), 10s};
                    manifest described;
                    described.size = of_large.map.size;
                    described.root = of_large.root;
                    described.chunk_size = of_large.map.chunk_size;
                    for (int n = 0; n < 3; ++n) { // is served
                        std::vector<merkle_hash> const layer = co_await honest.layer(described);
                        CHECK(layer.size() == 4096);
                        std::vector<list_entry> const all = co_await honest.list(1000);
                        CHECK(all.size() == 256);
                    }
                    honest.close();
                }
                most = std::max(most, pages);
            }
            CHECK(most <= std::size_t{16} << 20);
            co_await sleep_for(s.options.write_timeout + 1s); // who takes nothing is given up
            greedy.clear();
            file_client<pipe_end> honest{s.connect(), 10s};
            std::vector<list_entry> const all = co_await honest.list(1000);
            CHECK(all.size() == 256);
            honest.close();
            co_await w.stop();
        });
    }
}

TEST_CASE("T26: files: above the limit that was given nothing is asked for, whatever the peer sends along") {
    hostile_world t;
    t.w.options.max_size = 1000;
    t.evil.on_manifest = [](auto const &me) {
        bytes out = answer_bytes(me.described);
        append(out, me.chunk_bytes(0));
        return out;
    };
    t.get();
    CHECK(t.w.failed == errc::message_too_large);
    CHECK(t.w.output.count() == 0);
}

} // namespace file_test
