// tests/failure/disk.hpp: folders that are full, and a user without rights.
#pragma once

#include "unit/file/temporary_folder.hpp"

#include <gigi/core/bytes.hpp>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace failure {

/// A small disk of its own, in a mount namespace of this process; needs root.
class small_disk {
  public:
    explicit small_disk(std::size_t bytes) {
        if (::geteuid() != 0) return;
        static bool const own = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        there_ = own && ::mount("tmpfs", folder_.path.c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes) + ",mode=0777").c_str()) == 0;
    }
    small_disk(small_disk const &) = delete;
    ~small_disk() {
        if (there_) ::umount2(folder_.path.c_str(), MNT_DETACH);
    }

    explicit operator bool() const noexcept { return there_; }
    /// Whether this machine lets us have one; says so where it does not, since tests are skipped then.
    static bool allowed() {
        static bool const now = [] {
            bool const is = static_cast<bool>(small_disk{1 << 20});
            if (!is) std::fputs("skipped: tests of full disks, which need root and mount namespaces\n", stderr);
            return is;
        }();
        return now;
    }
    std::filesystem::path const &path() const noexcept { return folder_.path; }

    /// Takes what room is left.
    void fill() const {
        std::ofstream out{filler(), std::ios::binary};
        std::string const block(4096, 'x');
        while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {}
    }
    void free() const { std::filesystem::remove(filler()); }

  private:
    std::filesystem::path filler() const { return folder_.path / "filler"; }

    temporary_folder folder_;
    bool there_ = false;
};

/// Files of this process cannot grow past a size while this lives: a full disk for those who are not root.
class small_files {
  public:
    explicit small_files(std::size_t bytes) : before_{std::signal(SIGXFSZ, SIG_IGN)} {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        rlimit const now{bytes, old_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    small_files(small_files const &) = delete;
    ~small_files() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, before_);
    }

  private:
    rlimit old_{};
    void (*before_)(int);
};

/// Somebody without rights, while this lives: rights do not bind root.
class without_rights {
  public:
    without_rights() : root_{::geteuid() == 0} {
        if (root_ && ::seteuid(65534) != 0) root_ = false;
    }
    without_rights(without_rights const &) = delete;
    ~without_rights() {
        if (root_) static_cast<void>(::seteuid(0) == 0);
    }

  private:
    bool root_;
};

} // namespace failure
