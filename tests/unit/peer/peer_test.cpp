#include <gigi/peer/base58.hpp>
#include <gigi/peer/identity.hpp>
#include <gigi/peer/multiaddr.hpp>
#include <gigi/peer/nickname.hpp>
#include <gigi/peer/peer_id.hpp>
#include <gigi/peer/peer_record.hpp>
#include <gigi/peer/peer_store.hpp>
#include <gigi/peer/public_key.hpp>
#include <gigi/peer/signed_envelope.hpp>

#include <support/vectors.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace gigi;

namespace {

identity golden_identity() {
    ed25519_seed seed{};
    auto const raw = from_hex(test::vector("ed25519Seed")).value();
    std::copy_n(raw.begin(), seed.size(), seed.begin());
    return identity::from_seed(seed);
}

multiaddr address(std::string_view text) { return multiaddr::parse(text).value(); }

struct scratch_folder {
    scratch_folder() : path{std::filesystem::temp_directory_path() / ("gigi-peer-" + std::to_string(::getpid()))} { std::filesystem::create_directories(path); }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

} // namespace

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

TEST_CASE("peer_id: text forms") {
    auto const id = golden_identity().id();
    CHECK(peer_id::parse(test::vector("peerId")).value() == id);
    CHECK(id.short_string() == "jCaq");
    // a CIDv1 of the libp2p-key codec: 'b', and base32 of 01 72 and the multihash
    bytes cid{0x01, 0x72};
    append(cid, id.data());
    std::string text = "b";
    for (std::size_t bit = 0; bit < cid.size() * 8; bit += 5) {
        unsigned value = 0;
        for (std::size_t i = bit; i < bit + 5; ++i) value = value << 1 | (i < cid.size() * 8 ? cid[i / 8] >> (7 - i % 8) & 1u : 0u);
        text += "abcdefghijklmnopqrstuvwxyz234567"[value];
    }
    CHECK(text.starts_with("bafzaajaiaejca"));
    CHECK(peer_id::parse(text).value() == id);
    for (auto const *bad : {"", "Qm", "12D3KooW", "12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCa0", "bafy", "hello", "1111", "b"})
        CHECK(peer_id::parse(bad).error() == errc::invalid_address);
    CHECK_FALSE(peer_id::parse(std::string(5000, '1')));
    bytes sha_id{0x12, 0x20};
    sha_id.resize(34, 7);
    auto const qm = peer_id::from_bytes(sha_id).value();
    CHECK(qm.to_string().starts_with("Qm"));
    CHECK(peer_id::parse(qm.to_string()).value() == qm);
    CHECK_FALSE(qm.key());
    for (std::size_t n = 0; n < sha_id.size(); ++n) CHECK_FALSE(peer_id::from_bytes(bytes_view{sha_id}.first(n)));
    CHECK(peer_id{} != id);
    CHECK((peer_id{} < id) != (id < peer_id{}));
}

TEST_CASE("base58: leading zeros, round trips, and what is no base58") {
    for (auto const *hex : {"", "00", "0000ff", "61", "626262", "516b6fcd0f", "00eb15231dfceb60925886b67d065299925915aeb172c06647"})
        CHECK(to_hex(from_base58(to_base58(from_hex(hex).value())).value()) == hex);
    CHECK(to_base58(as_bytes("Hello World!")) == "2NEpo7TZRRrLZSi2U");
    for (auto const *bad : {"0", "O", "I", "l", " ", "a b"}) CHECK_FALSE(from_base58(bad));
    CHECK_FALSE(from_base58(std::string(max_base58_size + 1, '2')));
}

TEST_CASE("multiaddr: golden bytes, text and bytes and back") {
    for (auto const *text : {"/ip4/127.0.0.1/tcp/4001", "/ip6/::1/udp/4001/quic-v1", "/ip4/10.0.0.1/tcp/1/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq",
                             "/dns4/example.local/tcp/443"}) {
        auto const a = address(text);

        CHECK(a.to_string() == text);
        CHECK(multiaddr::from_bytes(a.bytes()).value() == a);
    }
    CHECK(to_hex(address("/ip4/127.0.0.1/tcp/4001").bytes()) == "047f000001060fa1");
    CHECK(to_hex(address("/ip6/::1/udp/4001/quic-v1").bytes()) == "290000000000000000000000000000000191020fa1cd03");
    CHECK(to_hex(address("/dns4/example.local/tcp/443").bytes()) == "360d6578616d706c652e6c6f63616c0601bb");
    CHECK(address("/ip6/2001:DB8:0:0::1/tcp/1").to_string() == "/ip6/2001:db8::1/tcp/1");
    CHECK(address("/ip4/1.2.3.4/tcp/5/ipfs/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq").peer().value() == golden_identity().id());
    CHECK(address("/ip6zone/eth0/ip6/fe80::1/tcp/1").zone() == "eth0");
    CHECK(address("/ip4/1.2.3.4/udp/5/quic-v1/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq/p2p-circuit").to_string().ends_with("/p2p-circuit"));
}

TEST_CASE("multiaddr: what it says") {
    auto const id = golden_identity().id();
    auto const a = address("/ip4/192.0.2.7/tcp/4001");
    CHECK(a.is_tcp());
    CHECK(a.tcp_port() == 4001);
    CHECK(a.ip_text() == "192.0.2.7");
    CHECK_FALSE(a.peer());
    CHECK(a.with_peer(id).peer() == id);
    CHECK(a.with_peer(id).is_tcp());
    CHECK(a.with_peer(id).without_peer() == a);
    CHECK(a.with_peer(id).with_peer(id) == a.with_peer(id));
    CHECK(address("/ip6/::/tcp/1").is_unspecified());
    CHECK(address("/ip4/127.8.8.8/tcp/1").is_loopback());
    CHECK(address("/ip6/::1/tcp/1").is_loopback());
    CHECK_FALSE(address("/ip4/1.1.1.1/udp/1/quic-v1").is_tcp());
    CHECK_FALSE(address("/ip4/1.1.1.1/tcp/1/ws").is_tcp());
    CHECK(address("/dns/example.org/tcp/1").ip_text() == "example.org");
    CHECK(multiaddr::tcp(bytes{1, 2, 3, 4}, 5) == address("/ip4/1.2.3.4/tcp/5"));
}

TEST_CASE("multiaddr: what is none is refused: texts, and bytes cut at any place") {
    for (auto const *bad : {"", "/", "ip4/1.2.3.4/tcp/1", "/ip4", "/ip4/", "/ip4/1.2.3", "/ip4/1.2.3.4/tcp", "/ip4/1.2.3.4/tcp/65536", "/ip4/1.2.3.4/tcp/-1", "/ip4/1.2.3.4/tcp/1x",
                            "/ip6/1.2.3.4/tcp/1", "/ip4/::1/tcp/1", "/what/1", "/dns4//tcp/1", "/dns4/a b/tcp/1", "/p2p/nobody", "/ip4/1.2.3.4//tcp/1"})
        CHECK(multiaddr::parse(bad).error() == errc::invalid_address);
    CHECK_FALSE(multiaddr::parse("/dns4/" + std::string(300, 'a') + "/tcp/1"));
    std::string many;
    for (int i = 0; i < 20; ++i) many += "/ip4/1.2.3.4";
    CHECK_FALSE(multiaddr::parse(many));
    auto const whole = address("/dns4/example.local/tcp/443/p2p/12D3KooWHapb8N5NzEmvQeSPLE5LJhhXKEciBGGKRsif47pnjCaq");
    std::size_t sound = 0;
    for (std::size_t n = 0; n < whole.bytes().size(); ++n) sound += multiaddr::from_bytes(whole.bytes().first(n)).has_value();
    CHECK(sound == 2); // after the name, and after the port
    CHECK_FALSE(multiaddr::from_bytes(from_hex("ffff7f").value()));
    CHECK_FALSE(multiaddr::from_bytes(from_hex("36ffffffff0f61").value()));
}

TEST_CASE("nicknames and group names: what people may be called") {
    for (auto const *good : {"a", "alice", "Jürgen Müller", "名前", "o.o", "a_b-c (1)"}) CHECK(valid_nickname(good));
    for (std::string const &bad : {std::string{}, std::string(" a"), std::string("a "), std::string("a~b"), std::string("a\"b"), std::string("a'b"), std::string("a\nb"), std::string("a\x1b[2J"),
                                   std::string("a\0b", 3), std::string("\xff"), std::string("a\xe2\x80\xae" "b"), std::string(65, 'a')})
        CHECK_FALSE(valid_nickname(bad));
    CHECK(valid_nickname(std::string(64, 'a')));
    CHECK(valid_group_name("it's ~ours~"));
    CHECK_FALSE(valid_group_name(std::string(129, 'a')));
    CHECK_FALSE(valid_group_name("a\tb"));
}

TEST_CASE("signed records: the golden one, byte for byte, both ways") {
    identity const self = golden_identity();
    std::vector<multiaddr> const addresses{address("/ip4/127.0.0.1/tcp/4001"), address("/ip6/::1/udp/4001/quic-v1")};
    auto const sealed = seal_peer_record(self, addresses, 1'700'000'000'000);
    CHECK(to_hex(sealed) == test::vector("signedPeerRecord.envelope"));
    auto const record = open_peer_record(sealed).value();
    CHECK(record.peer == self.id());
    CHECK(record.sequence == 1'700'000'000'000);
    CHECK(record.addresses == addresses);
}

TEST_CASE("T7: signed records: a bit changed anywhere, another signer or another purpose is refused") {
    identity const self = golden_identity(), mallory = identity::generate();
    std::vector<multiaddr> const addresses{address("/ip4/127.0.0.1/tcp/4001")};
    auto const sealed = seal_peer_record(self, addresses, 1);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto bad = sealed;
        bad[i] ^= 1;
        CHECK_FALSE(open_peer_record(bad));
        CHECK_FALSE(open_peer_record(bytes_view{sealed}.first(i)));
    }
    CHECK(signed_envelope::open(sealed, "another purpose").error() == errc::bad_signature);
    // mallory signs a record that speaks of somebody else
    bytes payload;
    protobuf_writer{payload}.data(1, self.id().data()).varint(2, 1);
    auto const forged = signed_envelope::seal(mallory, peer_record::domain, peer_record::payload_type, payload);
    CHECK(open_peer_record(forged).error() == errc::peer_mismatch);
    auto const other_type = signed_envelope::seal(self, peer_record::domain, as_bytes("x"), payload);
    CHECK(open_peer_record(other_type).error() == errc::protocol_violation);
    CHECK(open_peer_record(bytes(signed_envelope::max_size + 1)).error() == errc::message_too_large);
}

TEST_CASE("T30: identity file: made once with mode 0600, and never replaced, whatever it holds") {
    scratch_folder folder;
    auto const file = folder.path / "deep" / "key";
    auto const made = identity::load_or_create(file);
    CHECK(identity::load_or_create(file).id() == made.id());
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(std::distance(std::filesystem::directory_iterator{file.parent_path()}, {}) == 1);
    auto const code_of = [](std::filesystem::path const &at) {
        try {
            identity::load_or_create(at);
        } catch (error const &e) {
            return e.code();
        }
        return std::error_code{};
    };
    ::chmod(file.c_str(), 0644);
    CHECK(code_of(file) == errc::bad_identity_file);
    ::chmod(file.c_str(), 0600);
    std::string content;
    std::getline(std::ifstream{file, std::ios::binary}, content, '\0');
    for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{40}}) { // torn
        std::filesystem::resize_file(file, size);
        CHECK(code_of(file) == errc::bad_identity_file);
        CHECK(std::filesystem::file_size(file) == size);
    }
    std::ofstream{file} << std::string(10'000, 'x');
    CHECK(code_of(file) == errc::bad_identity_file);
    CHECK(code_of(folder.path) == errc::bad_identity_file);
    CHECK(code_of("/proc/nowhere/key") == errc::bad_identity_file);
}

TEST_CASE("T30: identity file: of processes that make it at once, all use the same") {
    scratch_folder folder;
    auto const file = folder.path / "key";
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
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
    for (int i = 0; i < 4; ++i) {
        std::string id;
        std::getline(std::ifstream{folder.path / ("id" + std::to_string(i))}, id);
        CHECK(id == expected);
    }
}

TEST_CASE("T10: peer_store: peers and addresses are bounded, the least useful go first") {
    seeded_random random{1};
    peer_store store{10};
    std::vector<peer_id> ids;
    for (int i = 0; i < 30; ++i) ids.push_back(identity::generate(random).id());
    for (std::size_t i = 0; i < ids.size(); ++i) store.add_address(ids[i], address("/ip4/10.0.0.1/tcp/1"), address_source::discovered, i);
    CHECK(store.size() == 10);
    CHECK(store.contains(ids.back()));
    CHECK_FALSE(store.contains(ids.front()));
    auto const peer = ids.back();
    store.add_address(peer, address("/ip4/10.0.0.2/tcp/1").with_peer(peer), address_source::manual, 5);
    for (int i = 0; i < 100; ++i) store.add_address(peer, address("/ip4/10.1.0.1/tcp/" + std::to_string(i + 1)), address_source::discovered, 100);
    auto const known = store.addresses(peer);
    CHECK(known.size() == peer_store::max_addresses);
    CHECK(known.front() == address("/ip4/10.0.0.2/tcp/1"));
}

TEST_CASE("peer_store: names resolve and are pinned; the store keeps through its text; damage loses only what is damaged") {
    seeded_random random{1};
    peer_store store;
    auto const a = identity::generate(random).id(), b = identity::generate(random).id(), stranger = identity::generate(random).id();
    CHECK_FALSE(store.set_nickname(a, "bob", 1));
    CHECK_FALSE(store.set_nickname(a, "bob", 2));
    CHECK(store.set_nickname(b, "bob", 3).value() == a);
    CHECK(store.pinned("bob").value() == a);
    CHECK(store.resolve("bob").size() == 2);
    CHECK(store.resolve("bob~" + b.short_string()) == std::vector{b});
    CHECK(store.resolve("bob~" + b.to_string()) == std::vector{b});
    CHECK(store.resolve("bob~x").empty());
    CHECK(store.resolve("~" + b.short_string()).empty());
    CHECK(store.resolve("alice").empty());
    CHECK(store.resolve(stranger.to_string()) == std::vector{stranger});
    store.add_address(a, address("/ip4/10.0.0.2/tcp/1"), address_source::identified, 7);
    std::string const text = store.write();
    peer_store copy;
    CHECK(copy.read(text));
    CHECK(copy.write() == text);
    peer_store damaged;
    CHECK_FALSE(damaged.read(text + "nonsense\n" + "peer\tx\t1\tbob\n" + "address\t" + a.to_string() + "\t1\t9\t/ip4/1.2.3.4/tcp/1\n"));
    CHECK(damaged.write() == text);
    CHECK_FALSE(damaged.read("something else"));
}
