#include <gigi/peer/identity.hpp>

#include <gigi/codec/protobuf.hpp>

#include "peer_support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#ifndef _WIN32
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace identity_test {

using namespace gigi;
using namespace gigi::test;

TEST_CASE("identity: key, id and encodings are the golden ones, byte for byte") {
    identity const self = golden_identity();
    CHECK(to_hex(self.public_key().encode()) == test::vector("publicKeyProtobuf"));
    CHECK(to_hex(self.encode()) == test::vector("privateKeyProtobuf"));
    CHECK(self.id().to_string() == test::vector("peerId"));
    CHECK(to_hex(self.id().data()) == test::vector("peerIdMultihash"));
    CHECK(identity::decode(self.encode())->id() == self.id());
    CHECK(self.id().key().value() == self.public_key());
    CHECK(public_key::decode(self.public_key().encode()).value() == self.public_key());
}

TEST_CASE("identity: the specification's private key gives its public key, in the old form too; what is none is refused") {
    bytes const encoded = from_hex("080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e").value();
    auto const self = identity::decode(encoded).value();
    CHECK(to_hex(self.public_key().encode()) == "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e");
    CHECK(self.encode() == encoded);
    auto const with = [](std::uint64_t type, bytes_view data) {
        bytes out;
        protobuf_writer{out}.varint(1, type).data(2, data);
        return identity::decode(out);
    };
    bytes const key = to_bytes(bytes_view{encoded}.subspan(4));
    bytes old = key;
    append(old, bytes_view{key}.subspan(32));
    CHECK(with(1, old)->id() == self.id());
    old.back() ^= 1;
    CHECK_FALSE(with(1, old));
    bytes other = key; // a public key of another private key
    other.back() ^= 1;
    CHECK(with(1, other).error() == errc::unsupported_key);
    CHECK(with(2, key).error() == errc::unsupported_key);
    CHECK(with(1, bytes_view{key}.first(32)).error() == errc::unsupported_key);
    for (std::size_t n = 0; n < encoded.size(); ++n) CHECK_FALSE(identity::decode(bytes_view{encoded}.first(n)));
}

TEST_CASE("identity: signs as its public key verifies; others are others") {
    auto const a = identity::generate(), b = identity::generate();
    CHECK(a.id() != b.id());
    CHECK(a.public_key().verify(as_bytes("text"), a.sign(as_bytes("text"))));
    CHECK_FALSE(a.public_key().verify(as_bytes("text"), b.sign(as_bytes("text"))));
    seeded_random one{1}, again{1};
    CHECK(identity::generate(one).id() == identity::generate(again).id());
}

TEST_CASE("T30: identity file: made once with mode 0600, and never replaced, whatever it holds") {
    scratch_folder folder;
    auto const file = folder.path / "deep" / "key";
    auto const made = identity::load_or_create(file);
    CHECK(identity::load_or_create(file).id() == made.id());
#ifndef _WIN32
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
#endif
    CHECK(std::distance(std::filesystem::directory_iterator{file.parent_path()}, {}) == 1);
    auto const code_of = [](std::filesystem::path const &at) {
        try {
            identity::load_or_create(at);
        } catch (error const &e) {
            return e.code();
        }
        return std::error_code{};
    };
#ifndef _WIN32
    for (auto const mode : {0644, 0640, 0604, 0620, 0601}) {
        ::chmod(file.c_str(), static_cast<mode_t>(mode));
        CHECK(code_of(file) == errc::bad_identity_file);
    }
    ::chmod(file.c_str(), 0600);
#endif
    for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{40}}) { // torn
        std::filesystem::resize_file(file, size);
        CHECK(code_of(file) == errc::bad_identity_file);
        CHECK(std::filesystem::file_size(file) == size);
    }
    std::ofstream{file} << std::string(10'000, 'x');
    CHECK(code_of(file) == errc::bad_identity_file);
#ifndef _WIN32
    std::filesystem::create_symlink(folder.path / "nowhere", folder.path / "dangling");
    CHECK(code_of(folder.path / "dangling") == errc::bad_identity_file);
    REQUIRE(::mkfifo((folder.path / "pipe").c_str(), 0600) == 0);
    CHECK(code_of(folder.path / "pipe") == errc::bad_identity_file); // and does not wait for a writer
    CHECK(code_of("/proc/nowhere/key") == errc::bad_identity_file);
#endif
    CHECK(code_of(folder.path) == errc::bad_identity_file);
    CHECK(code_of(file / "key") == errc::bad_identity_file); // in what is no folder
}

TEST_CASE("identity file: the message says which file, what is wrong and what to do; a file of another tool is taken") {
    scratch_folder folder;
    auto const file = folder.path / "key";
    std::ofstream{file} << "nonsense";
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::string what;
    try {
        identity::load_or_create(file);
    } catch (error const &e) {
        what = e.what();
    }
    CHECK(what.find(file.string()) != std::string::npos);
    CHECK(what.find("no Ed25519 key") != std::string::npos);
    CHECK(what.find("remove it") != std::string::npos);
#ifndef _WIN32
    ::chmod(file.c_str(), 0644);
    try {
        identity::load_or_create(file);
    } catch (error const &e) {
        what = e.what();
    }
    CHECK(what.find("chmod 600") != std::string::npos);
    CHECK(what.find("damaged") == std::string::npos);
    ::chmod(file.c_str(), 0600);
#endif
    bytes const golden = from_hex(vector("privateKeyProtobuf")).value();
    std::ofstream{file, std::ios::binary} << as_text(golden) << std::flush;
    CHECK(identity::load_or_create(file).id().to_string() == vector("peerId"));
}

#ifndef _WIN32
TEST_CASE("T30: identity file: of processes that make it at once, all use the same") {
    scratch_folder folder;
    auto const file = folder.path / "key";
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
        pid_t const child = ::fork();
        if (child == 0) {
            std::string const id = identity::load_or_create(file).id().to_string();
            std::ofstream{folder.path / ("id" + std::to_string(i))} << id << std::flush;
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (auto const child : children) {
        int status = 1;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    std::string const expected = identity::load_or_create(file).id().to_string();
    for (int i = 0; i < 6; ++i) {
        std::string id;
        std::getline(std::ifstream{folder.path / ("id" + std::to_string(i))}, id);
        CHECK(id == expected);
    }
}

TEST_CASE("T30: identity file: killed at any moment, there is a whole file or none") {
    scratch_folder folder;
    int made = 0;
    for (int round = 0; round < 20 || (made == 0 && round < 200); ++round) { // a busy machine may not come to the first file so soon
        auto const place = folder.path / std::to_string(round);
        pid_t const child = ::fork();
        if (child == 0) {
            for (int i = 0;; ++i) identity::load_or_create(place / std::to_string(i));
        }
        ::usleep(static_cast<useconds_t>(500 + 700 * round));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (!std::filesystem::exists(place)) continue;
        for (auto const &entry : std::filesystem::directory_iterator{place})
            if (entry.path().extension() != ".tmp") {
                CHECK_NOTHROW(identity::load_or_create(entry.path()));
                ++made;
            }
    }
    CHECK(made > 0);
}
#endif

} // namespace identity_test
