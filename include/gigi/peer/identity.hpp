// gigi/peer/identity.hpp: the node's own key, and the file that keeps it.
//
// Layer: peer. The file holds the key in libp2p's private key encoding (peer-ids/peer-ids.md, "Keys"), so that other tools
// can use it. POSIX.
#pragma once

#include "../crypto/key.hpp"
#include "../crypto/random.hpp"
#include "peer_id.hpp"
#include "public_key.hpp"

#include <filesystem>
#include <optional>

namespace gigi::inline v1 {

/// Who this node is. Movable.
class identity {
  public:
    explicit identity(ed25519_pair pair);
    static identity generate();
    static identity generate(random_source &random) { return identity{ed25519_pair::generate(random)}; }
    static identity from_seed(ed25519_seed const &seed) { return identity{ed25519_pair{seed}}; }

    /// @return `errc::unsupported_key` where it is not an Ed25519 key in libp2p's encoding
    static result<identity> decode(bytes_view encoded);
    /// Secret: `wipe` it after use.
    bytes encode() const;

    /// Loads the identity from a file; makes both where there is no file. The file has mode 0600 and appears whole or not at
    /// all: of two processes that make it at once, both use the one that came first. A file that is there is never changed:
    /// it must be a regular file of this user (or of root) that neither group nor others have any rights to. (On Windows the rights of the
    /// folder hold for it: keep it in the user's profile.)
    /// @throws error with `errc::bad_identity_file`: it is not so, or damaged, or cannot be read or made; the message says which
    static identity load_or_create(std::filesystem::path const &file);

    peer_id const &id() const noexcept { return id_; }
    gigi::public_key const &public_key() const noexcept { return public_key_; }
    ed25519_signature sign(bytes_view message) const { return pair_.sign(message); }

  private:
    static constexpr std::size_t max_file_size = 4096;

    struct descriptor;

    [[noreturn]] static void bad(std::filesystem::path const &file, char const *why);
    static std::optional<identity> load(std::filesystem::path const &file);

    /// @return false where another process has made the file meanwhile
    bool save_new(std::filesystem::path const &file) const;

    ed25519_pair pair_;
    gigi::public_key public_key_;
    peer_id id_;
};

} // namespace gigi::inline v1

#ifndef GIGI_SEPARATE_COMPILATION
#include "impl/identity.ipp"
#endif
