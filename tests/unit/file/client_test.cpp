#include "file_world.hpp"

#include <gigi/file/client.hpp>

namespace client_test {

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

namespace {

/// A server that answers every request with the next of its answers, whatever was asked.
awaitable<void> answer_with(pipe_end end, std::vector<file_answer> answers) {
    framed<pipe_end, cereal_codec> line{std::move(end)};
    for (auto const &one : answers) {
        std::optional<file_request> const request = co_await line.try_read<file_request>();
        if (!request) co_return;
        co_await line.write(one);
    }
    std::optional<file_request> const end_of_stream = co_await line.try_read<file_request>();
    CHECK(!end_of_stream);
    line.close_write();
}

template <class What> file_answer with(What what) {
    file_answer answer;
    answer.what = std::move(what);
    return answer;
}

enum class question { list, describe, layer };

awaitable<std::error_code> ask_lying(any_io_executor executor, question q, manifest of, std::vector<file_answer> answers) {
    auto const l = std::make_shared<line>(executor);
    task_group server{executor};
    server.spawn(answer_with(pipe_end{l, 1}, std::move(answers)));
    std::error_code code;
    {
        file_client<pipe_end> client{pipe_end{l, 0}, 5s};
        try {
            if (q == question::list) (void)co_await client.list(1000);
            if (q == question::describe) (void)co_await client.describe(share_code::of(of.root, of.size));
            if (q == question::layer) (void)co_await client.layer(of);
        } catch (std::system_error const &e) {
            code = e.code();
        }
        client.close();
    }
    server.cancel();
    co_await server.join();
    co_return code;
}

/// A server of a list that takes its time.
awaitable<void> list_slowly(pipe_end end, std::size_t entries, int pages, duration pause) {
    framed<pipe_end, cereal_codec> line{std::move(end)};
    std::uint64_t number = 0;
    for (int n = 1; n <= pages; ++n) {
        std::optional<file_request> const request = co_await line.try_read<file_request>();
        if (!request) co_return;
        co_await sleep_for(pause);
        list_page page;
        page.more = n < pages;
        for (std::size_t i = 0; i < entries; ++i) {
            std::string digits = std::to_string(++number), code;
            digits.insert(0, 20 - digits.size(), '0');
            for (std::size_t at = 0; at < 20; at += 4) code += (at ? "-" : "") + digits.substr(at, 4);
            page.entries.push_back({code, "x", 1});
        }
        file_answer const answer = with(std::move(page));
        co_await line.write(answer);
    }
    (void)co_await line.try_read<file_request>(); // the client's end
}

std::string code_of(std::uint8_t n) {
    merkle_hash root{};
    root[0] = n;
    return share_code::of(root, 1).to_string();
}

} // namespace

TEST_CASE("T27: answers that are not what was asked for") {
    run([](world &w) -> awaitable<void> {
        file_hashes file;
        file.map = chunk_map::of(6000 * std::uint64_t{chunk_map::largest_chunk_size} - 1);
        REQUIRE(file.map.count() == 6000); // two pages of hashes
        for (std::uint32_t i = 0; i < 6000; ++i) {
            merkle_hash hash{};
            store_be(hash.data(), i);
            file.chunks.push_back(hash);
        }
        file.root = root_of_chunks(file.map, file.chunks);
        manifest good;
        good.name = "a";
        good.root = file.root;
        good.size = file.map.size;
        good.chunk_size = file.map.chunk_size;
        auto const page = [&](std::uint64_t n) {
            auto made = make_layer_page(file, n);
            return with(layer_page_message{std::move(made.hashes), std::move(made.proof)});
        };
        auto const describe = question::describe, layer = question::layer, list = question::list;
        std::vector<file_answer> answers{with(good)};
        std::error_code code = co_await ask_lying(w.ex, describe, good, answers);
        CHECK(!code);
        answers = {page(0), page(1)};
        code = co_await ask_lying(w.ex, layer, good, answers);
        CHECK(!code);

        manifest other = good;
        other.root[0] ^= 1;
        answers = {with(other)};
        code = co_await ask_lying(w.ex, describe, good, answers);
        CHECK(code == errc::hash_mismatch);
        other = good;
        other.size += 1; // T25
        answers = {with(other)};
        code = co_await ask_lying(w.ex, describe, good, answers);
        CHECK(code == errc::hash_mismatch);
        other.size = ~std::uint64_t{0};
        answers = {with(other)};
        code = co_await ask_lying(w.ex, describe, good, answers);
        CHECK(code == errc::protocol_violation);
        answers = {with(chunk_header{0})};
        code = co_await ask_lying(w.ex, describe, good, answers);
        CHECK(code == errc::protocol_violation);
        answers = {with(file_failure{file_refusal::file_changed})};
        code = co_await ask_lying(w.ex, describe, good, answers);
        CHECK(code == errc::file_changed);

        answers = {page(1), page(0)};
        code = co_await ask_lying(w.ex, layer, good, answers);
        CHECK(code == errc::hash_mismatch);
        auto bad = page(1);
        std::get<layer_page_message>(bad.what).hashes[3][0] ^= 1;
        answers = {page(0), bad};
        code = co_await ask_lying(w.ex, layer, good, answers);
        CHECK(code == errc::hash_mismatch);
        answers = {with(layer_page_message{})};
        code = co_await ask_lying(w.ex, layer, good, answers);
        CHECK(code == errc::hash_mismatch);

        // A list that never ends, or names what cannot be a code.
        std::vector<std::string> codes{code_of(1), code_of(2)};
        std::ranges::sort(codes);
        list_page endless;
        endless.entries = {{codes[0], "a", 1}, {codes[1], "b", 1}};
        endless.more = true;
        answers = {with(endless), with(endless)};
        code = co_await ask_lying(w.ex, list, good, answers);
        CHECK(code == errc::protocol_violation);
        list_page wrong;
        wrong.entries = {{"../../x", "a", 1}};
        answers = {with(wrong)};
        code = co_await ask_lying(w.ex, list, good, answers);
        CHECK(code == errc::protocol_violation);
        list_page empty;
        empty.more = true;
        answers = {with(empty)};
        code = co_await ask_lying(w.ex, list, good, answers);
        CHECK(!code);
    });
}

TEST_CASE("T29: a list of files that comes slowly has a deadline; one that is long has more time") {
    struct row {
        std::size_t entries; // of each page
        int pages;           // then the last one
        duration pause;      // before each
        bool fine;
    };
    for (row const &r : {row{1, 1000, 4s, false}, row{256, 40, 1900ms, true}, row{256, 40, 4s, false}}) {
        CAPTURE(r.entries);
        CAPTURE(r.pause.count());
        run([r](world &w) -> awaitable<void> {
            auto const l = std::make_shared<line>(w.ex);
            task_group server{w.ex};
            server.spawn(list_slowly(pipe_end{l, 1}, r.entries, r.pages, r.pause));
            file_client<pipe_end> client{pipe_end{l, 0}, 5s};
            context_clock const clock{w.ex};
            auto const start = clock.now();
            std::size_t listed = 0;
            std::error_code failed;
            try {
                std::vector<list_entry> const all = co_await client.list(100'000);
                listed = all.size();
            } catch (std::system_error const &e) {
                failed = e.code();
            }
            CHECK(failed == (r.fine ? std::error_code{} : make_error_code(errc::timed_out)));
            if (r.fine) CHECK(listed == r.entries * static_cast<std::size_t>(r.pages));
            if (!r.fine) CHECK(clock.now() - start <= (r.entries < 100 ? 5s : 15s));
            client.reset();
            server.cancel();
            co_await server.join();
        });
    }
}

} // namespace client_test
