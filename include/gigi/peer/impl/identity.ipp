// gigi/peer/impl/identity.ipp: what identity.hpp declares.
#pragma once

#include "../identity.hpp"

#include "../../codec/protobuf.hpp"
#include "../../core/config.hpp"
#include "../../core/file_io.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace gigi::inline v1 {

#ifndef _WIN32
struct identity::descriptor {
    int fd;
    explicit descriptor(int opened) : fd{opened} {}
    descriptor(descriptor const &) = delete;
    descriptor &operator=(descriptor const &) = delete;
    ~descriptor() {
        if (fd >= 0) ::close(fd);
    }
};
#endif

GIGI_INLINE identity::identity(ed25519_pair pair)
    : pair_{std::move(pair)}, public_key_{pair_.public_key()}, id_{peer_id::from_public_key(public_key_)} {}

GIGI_INLINE identity identity::generate() {
    system_random random;
    return generate(random);
}

GIGI_INLINE result<identity> identity::decode(bytes_view encoded) {
    protobuf_reader in{encoded};
    std::uint32_t type = UINT32_MAX;
    bytes_view data;
    while (in.next()) switch (in.field()) {
        case 1: in.read(type); break;
        case 2: data = in.data(); break;
        }
    if (in.error() || type != 1) return errc::unsupported_key;
    if (data.size() == 96) { // an old form, which repeats the public key
        if (!equal(data.subspan(32, 32), data.subspan(64))) return errc::unsupported_key;
        data = data.first(64);
    }
    if (data.size() != 64) return errc::unsupported_key;
    ed25519_seed seed{};
    std::copy_n(data.begin(), seed.size(), seed.begin());
    identity made = from_seed(seed);
    wipe(seed);
    if (!equal(made.public_key_.data(), data.subspan(32))) return errc::unsupported_key;
    return made;
}

GIGI_INLINE bytes identity::encode() const {
    std::array<std::uint8_t, 64> data{};
    auto seed = pair_.seed();
    std::ranges::copy(seed, data.begin());
    std::ranges::copy(pair_.public_key(), data.begin() + 32);
    bytes out;
    out.reserve(data.size() + 8); // growing would leave copies behind
    protobuf_writer{out}.varint(1, 1).data(2, data);
    wipe(seed);
    wipe(data);
    return out;
}

GIGI_INLINE identity identity::load_or_create(std::filesystem::path const &file) {
    for (int attempt = 0; attempt < 3; ++attempt) {
        if (auto loaded = load(file)) return std::move(*loaded);
        identity made = generate();
        if (made.save_new(file)) return made;
    }
    bad(file, "it comes and goes: does another program use it?");
}

GIGI_INLINE void identity::bad(std::filesystem::path const &file, char const *why) {
    throw error{errc::bad_identity_file, file.string() + " (" + why + ")"};
}

#ifdef _WIN32
GIGI_INLINE std::optional<identity> identity::load(std::filesystem::path const &file) {
    auto data = read_file(file, max_file_size);
    if (!data) {
        std::error_code ignored;
        if (std::filesystem::symlink_status(file, ignored).type() == std::filesystem::file_type::not_found) return std::nullopt;
        bad(file, "it cannot be read: see who may read it and its folder");
    }
    auto loaded = decode(*data);
    wipe(*data);
    if (!loaded) bad(file, "it is damaged, or holds no Ed25519 key: restore it, or remove it to get a new identity");
    return std::move(*loaded);
}

GIGI_INLINE bool identity::save_new(std::filesystem::path const &file) const {
    auto const folder = disk_folder::open(file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."});
    if (!folder) bad(file, "it cannot be created there: name another, or mend the folder");
    std::array<std::uint8_t, 8> tag{};
    random_bytes(tag);
    auto const name = file.filename().u8string();
    std::string const target{name.begin(), name.end()}, temporary = target + "." + to_hex(tag) + ".tmp";
    std::error_code code;
    {
        auto const out = folder->open_file(temporary, disk_folder::opening::created);
        if (!out) bad(file, "it cannot be created there: name another, or mend the folder");
        bytes data = encode();
        code = out->write_at(0, data);
        wipe(data);
        if (!code) code = out->sync();
    }
    if (!code) code = folder->rename_new(temporary, target);
    if (!code) return true;
    folder->remove(temporary);
    if (code == std::errc::file_exists) return false;
    bad(file, "it cannot be written: is the disk full?");
}
#else
GIGI_INLINE std::optional<identity> identity::load(std::filesystem::path const &file) {
    descriptor const in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (in.fd < 0) {
        if (errno == ENOENT) return std::nullopt;
        bad(file, "it cannot be read: see who may read it and its folder");
    }
    struct stat info {};
    if (::fstat(in.fd, &info) != 0 || !S_ISREG(info.st_mode)) bad(file, "it is not a regular file: name another");
    if (info.st_uid != ::geteuid() && info.st_uid != 0) bad(file, "it belongs to another user: name another file, or chown this one");
    if (info.st_mode & 077) bad(file, "others may read it: chmod 600 it, or remove it if the key may be known");
    bytes data(max_file_size + 1);
    std::size_t size = 0;
    while (size < data.size()) {
        auto const n = ::read(in.fd, data.data() + size, data.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) bad(file, "it cannot be read: see who may read it and its folder");
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    auto loaded = decode(bytes_view{data}.first(size));
    wipe(data);
    if (size > max_file_size || !loaded) bad(file, "it is damaged, or holds no Ed25519 key: restore it, or remove it to get a new identity");
    return std::move(*loaded);
}

GIGI_INLINE bool identity::save_new(std::filesystem::path const &file) const {
    if (file.has_parent_path()) {
        std::error_code ignored;
        std::filesystem::create_directories(file.parent_path(), ignored);
    }
    std::array<std::uint8_t, 8> tag{};
    random_bytes(tag);
    std::filesystem::path const temporary = file.string() + "." + to_hex(tag) + ".tmp";
    struct removal {
        std::filesystem::path const &path;
        ~removal() { ::unlink(path.c_str()); }
    } const removed{temporary};
    {
        descriptor const out{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
        if (out.fd < 0) bad(file, "it cannot be created there: name another, or mend the folder");
        bytes data = encode();
        auto const written = ::write(out.fd, data.data(), data.size());
        wipe(data);
        if (written != static_cast<ssize_t>(data.size()) || ::fsync(out.fd) != 0) bad(file, "it cannot be written: is the disk full?");
    }
    if (::link(temporary.c_str(), file.c_str()) == 0) {
        descriptor const folder{::open(file.has_parent_path() ? file.parent_path().c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (folder.fd >= 0) ::fsync(folder.fd);
        return true;
    }
    if (errno == EEXIST) return false;
    bad(file, "it cannot be created there: name another, or mend the folder");
}
#endif

} // namespace gigi::inline v1
