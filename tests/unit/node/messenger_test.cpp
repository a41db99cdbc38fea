#include <gigi/node/messenger.hpp>

#include "unit/file/temporary_folder.hpp"

#include <gigi/core/error.hpp>
#include <gigi/crypto/hash.hpp>
#include <gigi/file/share_code.hpp>
#include <gigi/protocol/request_response.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>
#include <vector>

namespace messenger_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// A host with a messenger, and what it told.
struct person {
    person(simulation &sim, memory_network &network, std::string const &ip) : host{network, ip, sim.random()} { options.output_directory = folder.path / "in"; }
    messenger::surroundings around() {
        return {[this](event const &e) { told.push_back(e); }, [](peer_id const &) { return std::string{"somebody"}; }, host.net.get_executor()};
    }
    template <class E> E const &last() const {
        REQUIRE_FALSE(told.empty());
        auto const *const found = std::get_if<E>(&told.back());
        REQUIRE(found);
        return *found;
    }

    temporary_folder folder;
    memory_host host;
    node_options options;
    std::vector<event> told;
    messenger messages{host.net, options, around()};
};

struct lab {
    lab() { sim.run(bob.host.connect(alice.host)); }
    ~lab() {
        sim.run(bob.host.net.stop());
        sim.run(alice.host.net.stop());
    }
    /// Bob says something to Alice. @return what became of it
    template <class Work> std::error_code code_of(Work const &work) {
        auto const run = [&]() -> awaitable<void> { taken = co_await work(); };
        try {
            taken = {};
            sim.run(run());
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }
    /// The same, with a message that no messenger sends.
    template <class P> std::error_code send(typename P::request const &message) {
        return code_of([&]() -> awaitable<receipt> {
            delivery_receipt const answer = co_await send_request<P>(bob.host.net, alice.host.id(), message, 5s);
            co_return receipt{answer.id, {}};
        });
    }

    simulation sim{3};
    memory_network network{sim.get_executor(), sim.random()};
    person alice{sim, network, "10.0.0.1"}, bob{sim, network, "10.0.0.2"};
    receipt taken;
};

awaitable<void> say(memory_host &from, peer_id to, direct_protocol::request what, std::error_code &out) {
    try {
        (void)co_await send_request<direct_protocol>(from.net, std::move(to), what, 20s);
    } catch (std::system_error const &e) {
        out = e.code();
    }
}

direct_protocol::request message(direct_protocol::kind kind) {
    direct_protocol::request m;
    m.id = "0123";
    m.kind = kind;
    return m;
}

} // namespace

TEST_CASE("messenger: a text, bytes and an offer arrive with their sender, and their receipts name them") {
    lab l;
    auto const to = l.alice.host.id();
    CHECK_FALSE(l.code_of([&] { return l.bob.messages.send_text(to, "hello"); }));
    auto const text = l.alice.last<event::direct_message>();
    CHECK(text.peer == l.bob.host.id());
    CHECK(text.nickname == "somebody");
    CHECK(text.text == "hello");
    CHECK(text.id == l.taken.id);
    CHECK(l.taken.id.size() == 32);
    CHECK(l.taken.round_trip > 1ms);
    CHECK(l.taken.round_trip < 100ms);
    auto const first = l.taken.id;
    bytes const data{1, 2, 3};
    CHECK_FALSE(l.code_of([&] { return l.bob.messages.send_bytes(to, data); }));
    CHECK(l.alice.last<event::bytes_received>().bytes == data);
    CHECK(l.taken.id != first);
    file_info offered;
    offered.code = share_code::of(sha256(as_bytes("talk")), 77).to_string();
    offered.name = "../talk.pdf";
    offered.size = 77;
    CHECK_FALSE(l.code_of([&] { return l.bob.messages.send_file_offer(to, offered); }));
    auto const offer = l.alice.last<event::file_offered>();
    CHECK(offer.code == offered.code);
    CHECK(offer.name == "talk.pdf");
    CHECK(offer.size == 77);
    auto bad = message(direct_protocol::kind::file_offer);
    bad.code = "whatever one would have to type";
    CHECK(l.send<direct_protocol>(bad) == errc::unknown_code);
    CHECK(l.alice.last<event::file_offered>().code == offered.code);
    CHECK(offer.group.empty());
    CHECK(l.alice.told.size() == 3);
    CHECK(l.bob.told.empty());
}

TEST_CASE("messenger: an image arrives as a file of its name; one that cannot be read or stored is an error") {
    lab l;
    auto const to = l.alice.host.id();
    auto const picture = l.bob.folder.write("cat.png", to_bytes(std::string_view{"\x89PNG\r\n\x1a\n and more"}));
    CHECK_FALSE(l.code_of([&] { return l.bob.messages.send_image(to, picture); }));
    auto const image = l.alice.last<event::image_received>();
    CHECK(image.name == "cat.png");
    CHECK(image.mime == "image/png");
    CHECK(image.path == l.alice.options.output_directory / "cat.png");
    CHECK(image.id == l.taken.id);
    CHECK(temporary_folder::read(image.path) == temporary_folder::read(picture));
    CHECK(image.size == temporary_folder::read(picture).size());
    CHECK(l.code_of([&] { return l.bob.messages.send_image(to, l.bob.folder.path / "none"); }) == errc::file_not_found);

    l.alice.options.output_directory = picture; // a file where the folder should be
    CHECK(l.code_of([&] { return l.bob.messages.send_image(to, picture); }) == condition::io_error);
    CHECK(l.alice.last<event::background_error>().where == "messages");
}

TEST_CASE("messenger: every image that is stored is told, also where its sender has gone meanwhile") {
    for (bool const goes : {false, true}) {
        CAPTURE(goes);
        lab l;
        asio::io_context disk; // stands still until it is run
        person carol{l.sim, l.network, "10.0.0.3"};
        auto around = carol.around();
        around.disk = disk.get_executor();
        messenger slow{carol.host.net, carol.options, around}; // in place of the other
        l.sim.run(l.bob.host.connect(carol.host));
        auto image = message(direct_protocol::kind::image);
        image.name = "cat.png";
        image.data.assign(1000, 7);
        std::error_code failed;
        task_group sending{l.sim.get_executor()};
        sending.spawn(say(l.bob.host, carol.host.id(), image, failed));
        l.sim.run_for(1s);
        if (goes) l.sim.run(l.bob.host.net.stop());
        l.sim.run_for(5s);
        CHECK(carol.told.empty());
        CHECK(disk.run() == 1);
        l.sim.run_for(1s);
        l.sim.run(sending.join());
        CHECK(static_cast<bool>(failed) == goes);
        auto const &stored = carol.last<event::image_received>();
        CHECK(carol.told.size() == 1);
        CHECK(stored.path == carol.options.output_directory / "cat.png");
        CHECK(temporary_folder::read(stored.path).size() == 1000);
        CHECK(stored.peer == l.bob.host.id());
        l.sim.run(carol.host.net.stop());
    }
}

TEST_CASE("limits: messenger: what is too large is refused by the sender; by the receiver too, and counted") {
    lab l;
    auto const to = l.alice.host.id();
    l.alice.options.max_message_size = 10;
    l.alice.options.max_image_size = 20;
    l.bob.options = l.alice.options;
    std::string const words(11, 'x');
    CHECK(l.code_of([&] { return l.bob.messages.send_text(to, words); }) == errc::message_too_large);
    bytes const data(21);
    CHECK(l.code_of([&] { return l.bob.messages.send_bytes(to, data); }) == errc::message_too_large);
    auto const picture = l.bob.folder.write("cat.png", data);
    CHECK(l.code_of([&] { return l.bob.messages.send_image(to, picture); }) == errc::message_too_large);
    CHECK(l.alice.messages.refused() == 0); // they did not get there
    auto text = message(direct_protocol::kind::text);
    text.text.assign(11, 'x');
    CHECK(l.send<direct_protocol>(text) == errc::message_too_large);
    auto image = message(direct_protocol::kind::image);
    image.data.resize(21);
    CHECK(l.send<direct_protocol>(image) == errc::message_too_large);
    bytes_protocol::request raw;
    raw.id = "1";
    raw.data.resize(21);
    CHECK(l.send<bytes_protocol>(raw) == errc::message_too_large);
    CHECK(l.alice.messages.refused() == 3);
    image.data.resize(20);
    l.alice.options.auto_accept_size = 19; // unasked (T26)
    CHECK(l.send<direct_protocol>(image) == errc::message_too_large);
    CHECK(l.alice.told.empty());
    CHECK(l.alice.messages.refused() == 4);
}

TEST_CASE("messenger: messages that no node sends are refused, and long words are cut") {
    lab l;
    auto bad = message(static_cast<direct_protocol::kind>(77));
    CHECK(l.send<direct_protocol>(bad) == errc::not_supported);
    for (auto const &id : {std::string{}, std::string(33, 'a')}) {
        bad = message(direct_protocol::kind::text);
        bad.id = id;
        CHECK(l.send<direct_protocol>(bad) == errc::protocol_violation);
        bytes_protocol::request raw;
        raw.id = id;
        CHECK(l.send<bytes_protocol>(raw) == errc::protocol_violation);
    }
    CHECK(l.alice.told.empty());
    auto image = message(direct_protocol::kind::image);
    image.mime.assign(1000, 'm');
    image.name = "a/b\x1b[2J";
    CHECK_FALSE(l.send<direct_protocol>(image));
    CHECK(l.alice.last<event::image_received>().mime == std::string(128, 'm'));
    CHECK(l.alice.last<event::image_received>().path.parent_path() == l.alice.options.output_directory);
    auto offer = message(direct_protocol::kind::file_offer);
    offer.code.assign(1000, 'c');
    CHECK(l.send<direct_protocol>(offer) == errc::unknown_code);
    CHECK(l.alice.told.size() == 1);
}

TEST_CASE("messenger: a receipt for another message is none, and after stop() nothing is taken") {
    lab l;
    auto const to = l.alice.host.id();
    serve_requests<direct_protocol>(l.alice.host.net, [](peer_id const &, direct_protocol::request const &) {
        delivery_receipt other;
        other.id = "another";
        return other;
    }, 5s);
    CHECK(l.code_of([&] { return l.bob.messages.send_text(to, "hello"); }) == errc::protocol_violation);
    l.alice.messages.stop();
    CHECK(l.code_of([&] { return l.bob.messages.send_text(to, "hello"); }) == errc::unsupported_protocol);
    bytes const data(1);
    CHECK(l.code_of([&] { return l.bob.messages.send_bytes(to, data); }) == errc::unsupported_protocol);
}

TEST_CASE("messenger: the same bytes to several: whoever takes them counts, and nobody waits for whoever does not") {
    lab l;
    person carol{l.sim, l.network, "10.0.0.3"};
    memory_host dave{l.network, "10.0.0.4", l.sim.random()}; // does not know the protocol
    memory_host eve{l.network, "10.0.0.5", l.sim.random()};  // says that she has taken another message
    serve_requests<bytes_protocol>(eve.net, [](peer_id const &, bytes_protocol::request const &) { return delivery_receipt{"another"}; }, 5s);
    for (auto *other : {&carol.host, &dave, &eve}) l.sim.run(l.bob.host.connect(*other));
    std::vector<peer_id> const everyone{l.alice.host.id(), dave.id(), eve.id(), carol.host.id()};
    bytes const data(1'000'000, 7);
    std::size_t taken = 0;
    auto const send = [&]() -> awaitable<void> { taken = co_await l.bob.messages.send_bytes_to_all(everyone, data); };
    l.sim.run(send());
    CHECK(taken == 2);
    CHECK(l.alice.last<event::bytes_received>().bytes == data);
    CHECK(carol.last<event::bytes_received>().bytes == data);
    l.bob.options.max_image_size = 1000;
    CHECK_THROWS_AS(l.sim.run(send()), error);
    for (auto *other : {&carol.host, &dave, &eve}) l.sim.run(other->net.stop());
}

} // namespace messenger_test
