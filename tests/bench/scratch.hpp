// A folder for a benchmark's files, and the commands that others copy files with.
#pragma once

#include "bench.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace bench {

/// A new folder that goes with this; the working directory meanwhile, so that nodes leave nothing elsewhere.
class scratch {
  public:
    explicit scratch(std::filesystem::path const &where) : before_{std::filesystem::current_path()}, folder_{where / ("gigi-bench-" + std::to_string(::getpid()))} {
        std::filesystem::create_directories(folder_);
        std::filesystem::current_path(folder_);
    }
    scratch(scratch const &) = delete;
    ~scratch() {
        std::filesystem::current_path(before_);
        std::filesystem::remove_all(folder_);
    }
    std::filesystem::path operator/(char const *name) const { return folder_ / name; }

  private:
    std::filesystem::path before_, folder_;
};

/// Makes a file of bytes that do not repeat.
inline void make_file(std::filesystem::path const &path, std::size_t mib, std::uint64_t seed = 88172645463325252) {
    std::vector<std::uint64_t> block(1 << 17);
    std::uint64_t x = seed;
    std::ofstream out{path, std::ios::binary};
    for (std::size_t i = 0; i < mib; ++i) {
        for (auto &word : block) word = x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        out.write(reinterpret_cast<char const *>(block.data()), 1 << 20);
    }
}

inline int shell(std::string const &command) { return std::system(command.c_str()); }
inline bool installed(std::string const &program) { return shell("command -v " + program + " > /dev/null 2>&1") == 0; }

/// Runs a command that copies `mib` MiB from one file to another, until they are on the disk, and looks whether it did.
inline flow copy(std::string const &command, std::filesystem::path const &from, std::filesystem::path const &to, std::size_t mib) {
    double const before = cpu_time(RUSAGE_CHILDREN);
    auto const start = clock::now();
    if (shell(command + " && sync " + to.string()) != 0) throw std::runtime_error{command + ": failed"};
    auto const size = static_cast<double>(mib);
    flow const result{size / since(start), (cpu_time(RUSAGE_CHILDREN) - before) * 1e6 / size};
    if (shell("cmp -s " + from.string() + " " + to.string()) != 0) throw std::runtime_error{command + ": copied something else"};
    std::filesystem::remove(to);
    return result;
}

} // namespace bench
