#include <gigi/node/groups.hpp>

#include "unit/file/temporary_folder.hpp"

#include <gigi/codec/cereal_codec.hpp>
#include <gigi/core/error.hpp>
#include <gigi/testing/memory_host.hpp>
#include <gigi/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace groups_test {

using namespace gigi;
using namespace gigi::testing;

namespace {

/// A host with groups and files, and what it told.
struct person {
    person(simulation &sim, memory_network &network, std::string const &ip) : host{network, ip, sim.random()} {
        options.output_directory = folder.path / "in";
        files.start();
        groups.start();
    }
    std::function<void(event const &)> emit() {
        return [this](event const &e) { told.push_back(e); };
    }
    static std::function<std::string(peer_id const &)> name() {
        return [](peer_id const &) { return std::string{"somebody"}; };
    }
    /// What it told of one kind since the last time.
    template <class E> std::vector<E> taken() {
        std::vector<E> found;
        std::erase_if(told, [&](event const &e) {
            auto const *const match = std::get_if<E>(&e);
            if (match) found.push_back(*match);
            return match != nullptr;
        });
        return found;
    }
    awaitable<void> stop() {
        co_await groups.stop();
        co_await files.stop();
        co_await host.net.stop();
    }

    temporary_folder folder;
    memory_host host;
    node_options options;
    std::vector<event> told;
    seeded_random random{1};
    file_sharing files{host.net, options, emit(), name(), host.net.get_executor()};
    group_service groups{host.net, options, files, host.net.get_executor(), random, emit(), name()};
};

/// Takes a request, and never answers it.
awaitable<void> answer_nothing(stream) { co_await sleep_for(24h); }

struct lab {
    lab() { sim.run(bob.host.connect(alice.host)); }
    ~lab() {
        sim.run(bob.stop());
        sim.run(alice.stop());
    }
    /// Both are in the group, and know it of each other.
    void gather(std::string const &group) {
        alice.groups.join(group);
        bob.groups.join(group);
        sim.run_for(2s);
    }
    template <class Work> std::error_code code_of(Work const &work) {
        try {
            work();
        } catch (std::system_error const &e) {
            return e.code();
        }
        return {};
    }
    /// What no node says, in the group's topic and signed as it should be.
    void say(gossip &as, bytes_view data) {
        as.publish(std::string{group_topic_prefix} + "lobby", data);
        sim.run_for(1s);
    }

    simulation sim{3};
    memory_network network{sim.get_executor(), sim.random()};
    person alice{sim, network, "10.0.0.1"}, bob{sim, network, "10.0.0.2"};
};

} // namespace

TEST_CASE("groups: who is in a group hears what its members say, from its author, and who comes and goes") {
    lab l;
    l.gather("lobby");
    CHECK(l.alice.taken<event::group_joined>().size() == 1);
    auto const came = l.alice.taken<event::group_peer_joined>();
    REQUIRE(came.size() == 1);
    CHECK(came[0].group == "lobby");
    CHECK(came[0].peer == l.bob.host.id());
    CHECK(l.alice.groups.members("lobby") == std::vector{l.bob.host.id()});
    auto const id = l.bob.groups.publish("lobby", "hello");
    l.sim.run_for(1s);
    auto const heard = l.alice.taken<event::group_message>();
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].group == "lobby");
    CHECK(heard[0].peer == l.bob.host.id());
    CHECK(heard[0].nickname == "somebody");
    CHECK(heard[0].text == "hello");
    CHECK(heard[0].id == id);
    CHECK(l.bob.taken<event::group_message>().empty()); // not its own
    l.bob.groups.leave("lobby");
    l.sim.run_for(1s);
    CHECK(l.alice.taken<event::group_peer_left>().size() == 1);
    CHECK(l.alice.groups.members("lobby").empty());
    l.alice.groups.publish("lobby", "is anybody there?");
    l.sim.run_for(1s);
    CHECK(l.bob.taken<event::group_message>().empty());
    CHECK(l.bob.taken<event::group_left>().size() == 1);
}

TEST_CASE("groups: what cannot be joined, left or said throws; joining again is fine") {
    lab l;
    auto &mine = l.alice.groups;
    for (auto const &name : {std::string{}, std::string(129, 'g'), std::string{"a\nb"}, std::string{" a"}})
        CHECK(l.code_of([&] { mine.join(name); }) == errc::invalid_name);
    CHECK(l.code_of([&] { mine.leave("lobby"); }) == errc::not_joined);
    CHECK(l.code_of([&] { mine.publish("lobby", "x"); }) == errc::not_joined);
    CHECK(l.code_of([&] { l.sim.run(mine.publish_image("lobby", "/none")); }) == errc::not_joined);
    mine.join("lobby");
    mine.join("lobby");
    CHECK(l.alice.taken<event::group_joined>().size() == 1);
    CHECK(mine.joined() == std::set<std::string>{"lobby"});
    l.alice.options.max_message_size = 5;
    CHECK(l.code_of([&] { mine.publish("lobby", "123456"); }) == errc::message_too_large);
    CHECK_FALSE(l.code_of([&] { mine.publish("lobby", "12345"); }));
    CHECK(l.code_of([&] { l.sim.run(mine.publish_image("lobby", "/none")); }) == errc::file_not_found);
    l.alice.options.max_groups = 2;
    mine.join("second");
    CHECK(l.code_of([&] { mine.join("third"); }) == errc::limit_exceeded);
    CHECK(mine.refused() == 1);
}

TEST_CASE("groups: an image is fetched by itself; one that is too large, or cannot be had, is offered") {
    lab l;
    l.gather("lobby");
    auto const picture = l.bob.folder.write("cat.png", std::string_view{"GIF89a"});
    auto const code = l.sim.run(l.bob.groups.publish_image("lobby", picture));
    l.sim.run_for(5s);
    auto const images = l.alice.taken<event::group_image>();
    REQUIRE(images.size() == 1);
    CHECK(images[0].group == "lobby");
    CHECK(images[0].peer == l.bob.host.id());
    CHECK(images[0].name == "cat.png");
    CHECK(images[0].mime == "image/gif");
    CHECK(images[0].code == code);
    CHECK(images[0].size == 6);
    CHECK(images[0].path == l.alice.options.output_directory / "cat.png");
    CHECK(temporary_folder::read(images[0].path) == "GIF89a");

    l.alice.options.auto_accept_size = 5;
    auto const larger = l.bob.folder.write("dog.png", std::string_view{"GIF89a dog"});
    l.sim.run(l.bob.groups.publish_image("lobby", larger));
    l.sim.run_for(5s);
    auto offers = l.alice.taken<event::file_offered>();
    REQUIRE(offers.size() == 1);
    CHECK(offers[0].name == "dog.png");
    CHECK(offers[0].size == 10);
    CHECK(offers[0].group == "lobby");
    CHECK(l.alice.groups.images_not_fetched() == 1);

    l.alice.options.auto_accept_size = 100;
    std::filesystem::remove(l.bob.folder.path / "dog.png");
    l.bob.folder.write("owl.png", std::string_view{"GIF89a owl"});
    l.sim.run(l.bob.groups.publish_image("lobby", l.bob.folder.path / "owl.png"));
    std::filesystem::remove(l.bob.folder.path / "owl.png"); // before anybody has it
    l.sim.run_for(1min);
    offers = l.alice.taken<event::file_offered>();
    REQUIRE(offers.size() == 1);
    CHECK(offers[0].name == "owl.png");
    CHECK(l.alice.taken<event::group_image>().empty());
    CHECK(l.alice.groups.images_not_fetched() == 1); // it was tried
}

TEST_CASE("T4, T26, T29: groups: images that are offered and never sent delay nothing that was asked for, and are offers in the end") {
    lab l;
    l.gather("lobby");
    person carol{l.sim, l.network, "10.0.0.3"};
    l.sim.run(carol.host.connect(l.alice.host));
    shared_info const good = l.sim.run(carol.files.share(carol.folder.write("good.txt", random_content(300'000))));
    l.bob.host.net.handle(std::string{file_protocol_id}, answer_nothing);
    for (int i = 0; i < 64; ++i) {
        std::string const number = std::to_string(i);
        l.sim.run(l.bob.groups.publish_image("lobby", l.bob.folder.write(number + ".png", std::string_view{number})));
    }
    l.sim.run_for(1s);
    CHECK(l.alice.groups.images_not_fetched() == 32); // over an author's share of what waits
    CHECK(l.alice.taken<event::file_offered>().size() == 32);
    auto const start = l.sim.now();
    std::vector<peer_id> const from{carol.host.id()};
    l.sim.run(l.alice.files.download(from, good.code));
    CHECK(l.sim.now() - start < 5s);
    l.sim.run_for(32 * 31s); // one after the other
    CHECK(l.alice.taken<event::file_offered>().size() == 32);
    CHECK(l.alice.files.downloads() == 0);
    CHECK(std::distance(std::filesystem::directory_iterator{l.alice.options.output_directory}, {}) == 1);
    l.sim.run(carol.stop());
}

TEST_CASE("groups: what is not of gigi, of no kind that there is, too large or without a code, is passed over") {
    lab l;
    l.alice.groups.join("lobby");
    seeded_random random{5};
    memory_host other{l.network, "10.0.0.3", l.sim.random()};
    gossip speaker{other.net, gossip_options(), gossip_callbacks(), random};
    speaker.start();
    l.sim.run(other.connect(l.alice.host));
    speaker.subscribe(std::string{group_topic_prefix} + "lobby");
    l.sim.run_for(2s);
    l.alice.told.clear();
    auto const say = [&](group_payload const &said) {
        bytes data;
        cereal_codec{}.encode(said, data);
        l.say(speaker, data);
    };
    l.alice.options.max_message_size = 10;
    group_payload said;
    said.text.assign(11, 'x');
    say(said);
    CHECK(l.alice.groups.messages_refused() == 1);
    said.what = static_cast<group_payload::kind>(77);
    say(said);
    said.what = group_payload::kind::image;
    said.code = "../../etc/passwd";
    say(said);
    said.what = group_payload::kind::file;
    say(said);
    l.say(speaker, as_bytes("hello from another app"));
    CHECK(l.alice.told.empty());
    said.code = "k7qm-3fz2-aaaa-bbbb-cccc";
    said.name = "../../talk.pdf";
    say(said);
    auto const offers = l.alice.taken<event::file_offered>();
    REQUIRE(offers.size() == 1);
    CHECK(offers[0].name == "talk.pdf");
    said = group_payload();
    said.text = "hello";
    say(said);
    CHECK(l.alice.taken<event::group_message>().size() == 1);
    l.sim.run(speaker.stop());
    l.sim.run(other.net.stop());
}

} // namespace groups_test
