// Every awaitable of a node, cancelled at each of its steps: it ends at once, nothing is left of it, and the node goes on.
#include "failure/operations.hpp"

#include <filesystem>
#include <string>

namespace cancel_node_test {

using namespace failure;

namespace {

/// Tries an operation of alice again and again, each time in a fresh world and cancelled one step later, until it ends uncancelled.
void try_everywhere(std::string const &name, preparation prepare, operation what, void (*meanwhile)(world &) = nullptr, std::uint64_t stride = 1,
                    void (*look)(world &, bool succeeded) = nullptr) {
    CAPTURE(name);
    int cancelled = 0, succeeded = 0;
    for (std::uint64_t step = 0;; step += stride) {
        CAPTURE(step);
        world w;
        prepare(w);
        auto under_way = what(w);
        if (meanwhile) meanwhile(w);
        auto const ended = cancel_at(w.sim, w.alice->get_executor(), std::move(under_way), step, 30s);
        if (ended.failure) CHECK_MESSAGE(ended.code() == condition::cancelled, ended.message());
        CHECK((ended.disturbed || ended.succeeded()));
        CHECK(ended.after < (ended.succeeded() ? 3s : 100ms)); // it does not wait for the peer, or for anything
        cancelled += !ended.succeeded();
        succeeded += ended.succeeded();
        if (look) look(w, ended.succeeded());
        w.check_recovers();
        if (!ended.disturbed) break;
        REQUIRE(step < 5000);
    }
    MESSAGE(name, ": ", cancelled, " times cancelled, ", succeeded, " times it was too late or needless");
    CHECK(cancelled > 0);
    CHECK(succeeded > 0);
}

// All or nothing.
void check_shared(world &w, bool succeeded) { CHECK(w.alice->shared_files().size() == (succeeded ? 1 : 0)); }
void check_unshared(world &w, bool succeeded) { CHECK(w.alice->shared_files().size() == (succeeded ? 0 : 1)); }
void check_downloaded(world &w, bool succeeded) { CHECK(std::filesystem::exists(w.folder.path / "alice-downloads" / "talk.bin") == succeeded); }

} // namespace

TEST_CASE("cancelled anywhere: start") { try_everywhere("start", only_bob, start_it); }
TEST_CASE("cancelled anywhere: dial") {
    try_everywhere("an address", strangers, dial_address);
    try_everywhere("a nickname", apart, dial_nickname);
    try_everywhere("an id", apart, dial_id);
    try_everywhere("who is connected", met, dial_id);
}
TEST_CASE("cancelled anywhere: disconnect") { try_everywhere("disconnect", met, disconnect_it); }
TEST_CASE("cancelled anywhere: set_nickname") { try_everywhere("set_nickname", met, rename_it); }
TEST_CASE("cancelled anywhere: events") {
    try_everywhere("next_event", met, wait_for_event, bob_takes_another_name);
    try_everywhere("event_reader::next", met, wait_with_reader, bob_takes_another_name);
}
TEST_CASE("cancelled anywhere: messages") {
    try_everywhere("a text", met, send_text);
    try_everywhere("a long text", met, send_long_text);
    try_everywhere("an image", met, send_picture);
    try_everywhere("a file offer", with_files, offer);
    try_everywhere("bytes", met, send_raw);
    try_everywhere("bytes to all", met, send_to_all);
}
TEST_CASE("cancelled anywhere: messages to who has to be dialled") {
    try_everywhere("a text", apart, send_text);
    try_everywhere("a file offer", apart_with_files, offer);
    // With a stride where both the dial and what follows it are tried above at every step.
    try_everywhere("a long text", apart, send_long_text, nullptr, 3);
    try_everywhere("an image", apart, send_picture, nullptr, 3);
    try_everywhere("bytes", apart, send_raw, nullptr, 3);
}
TEST_CASE("cancelled anywhere: groups") {
    try_everywhere("join", gathered, join_group);
    try_everywhere("leave", gathered, leave_group);
    try_everywhere("publish_image", gathered, show_picture);
}
TEST_CASE("cancelled anywhere: files") {
    try_everywhere("share", met, share_file, nullptr, 1, check_shared);
    try_everywhere("unshare", with_files, unshare_file, nullptr, 1, check_unshared);
    try_everywhere("list_files", with_files, list);
    try_everywhere("download", with_files, download_from, nullptr, 1, check_downloaded);
    try_everywhere("list_files of who has to be dialled", apart_with_files, list);
    try_everywhere("download from who has to be dialled", apart_with_files, download_from, nullptr, 5, check_downloaded); // likewise
    try_everywhere("download from all", with_files, download_from_all);
}
TEST_CASE("cancelled anywhere: an app's protocols") {
    try_everywhere("request", met, ask);
    try_everywhere("request of who has to be dialled", apart, ask);
    try_everywhere("open_stream", met, open_raw);
    try_everywhere("open_stream to who has to be dialled", apart, open_raw);
}

} // namespace cancel_node_test
