// tests/fuzz/fuzz.hpp: what every fuzz target is made of: its entry, checks, a reader of the fuzzer's bytes, a limit of memory.
//
// A target is one file that says
//
//     FUZZ_TARGET(name) { … uses `data`, a gigi::bytes_view of any content … }
//     FUZZ_SEEDS { return {…}; }                        // valid inputs, from which a corpus begins
//
// With GIGI_FUZZ_REPLAY the targets register themselves, so that all of them link into one program (replay.cpp), which any
// compiler can build. Without, a file is a libFuzzer program by itself: `tests/fuzz/run`.
#pragma once

#include <gigi/core/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using inputs = std::vector<gigi::bytes>;

/// Ends the program where a property does not hold: the fuzzer keeps the input.
inline void require(bool holds, char const *what, char const *file, int line) {
    if (holds) return;
    std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    std::abort();
}
#define FUZZ_CHECK(...) ::fuzz::require(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

/// A result has a value or an error, never both and never neither.
template <class Result> void check_result(Result const &r) { FUZZ_CHECK(r.has_value() == !r.error()); }

/// The fuzzer's bytes as numbers and parts. At the end everything is zero and empty, so that a script just stops.
class input {
  public:
    explicit input(gigi::bytes_view data) noexcept : data_{data} {}

    bool empty() const noexcept { return data_.empty(); }
    std::size_t size() const noexcept { return data_.size(); }

    std::uint8_t byte() noexcept {
        auto const raw = take(1);
        return raw.empty() ? std::uint8_t{0} : raw[0];
    }
    template <std::unsigned_integral T> T number() noexcept {
        T value{};
        for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 7 << 1 | byte());
        return value;
    }
    /// A number below `n`, which is not 0.
    std::size_t below(std::size_t n) noexcept { return (n <= 256 ? byte() : number<std::uint32_t>()) % n; }
    bool flag() noexcept { return byte() & 1; }

    /// The next bytes, as many as there are.
    gigi::bytes_view take(std::size_t n) noexcept {
        auto const part = data_.first(std::min(n, data_.size()));
        data_ = data_.subspan(part.size());
        return part;
    }
    /// A part with its own length, of one byte.
    gigi::bytes_view part() noexcept { return take(byte()); }
    /// A part with its own length, of two bytes.
    gigi::bytes_view long_part() noexcept { return take(number<std::uint16_t>()); }
    gigi::bytes_view rest() noexcept { return take(data_.size()); }

  private:
    gigi::bytes_view data_;
};

/// Puts scripts for an `input` together.
class script {
  public:
    script &byte(std::size_t value) { return out_.push_back(static_cast<std::uint8_t>(value)), *this; }
    template <std::unsigned_integral T> script &number(T value) { return gigi::append_be(out_, value), *this; }
    script &part(gigi::bytes_view data) { return byte(data.size()), raw(data); }
    script &part(std::string_view text) { return part(gigi::as_bytes(text)); }
    script &long_part(gigi::bytes_view data) { return number(static_cast<std::uint16_t>(data.size())), raw(data); }
    script &raw(gigi::bytes_view data) { return gigi::append(out_, data), *this; }
    script &raw(std::string_view text) { return raw(gigi::as_bytes(text)); }
    operator gigi::bytes() const { return out_; }

  private:
    gigi::bytes out_;
};

/// Calls `deliver(part)` for all of `data`, in parts whose sizes `seed` decides; some are empty.
template <class Deliver> void split(gigi::bytes_view data, std::uint32_t seed, Deliver &&deliver) {
    while (!data.empty()) {
        seed = seed * 1664525 + 1013904223;
        std::size_t const most = seed >> 30 == 0 ? 4 : 64;
        auto const part = data.first(std::min<std::size_t>((seed >> 16) % most, data.size()));
        data = data.subspan(part.size());
        deliver(part);
    }
}

} // namespace fuzz

// The address sanitizer's; without it, memory is not measured.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(void const volatile *, std::size_t), void (*on_free)(void const volatile *)) __attribute__((weak));
std::size_t __sanitizer_get_allocated_size(void const volatile *) __attribute__((weak));
}

namespace fuzz {

/// Ends the program where, while this lives, more memory is taken than allowed. One at a time.
class memory_limit {
  public:
    /// @param bytes at once, more than what was held before
    explicit memory_limit(std::size_t bytes) {
        static bool const installed = __sanitizer_install_malloc_and_free_hooks && __sanitizer_install_malloc_and_free_hooks(&on_malloc, &on_free);
        held_ = 0;
        limit_ = installed ? static_cast<std::ptrdiff_t>(bytes) : 0;
    }
    memory_limit(memory_limit const &) = delete;
    memory_limit &operator=(memory_limit const &) = delete;
    ~memory_limit() { limit_ = 0; }

  private:
    static void on_malloc(void const volatile *, std::size_t size) {
        if (limit_ == 0) return;
        held_ += static_cast<std::ptrdiff_t>(size);
        if (held_ <= limit_) return;
        auto const limit = std::exchange(limit_, 0);
        std::fprintf(stderr, "%td bytes held, %td allowed\n", held_, limit);
        std::abort();
    }
    static void on_free(void const volatile *memory) {
        if (limit_ != 0 && memory) held_ -= static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(memory));
    }

    static inline thread_local std::ptrdiff_t limit_ = 0, held_ = 0;
};

/// What a parser may hold for an input: some times its size, and something for itself.
inline std::size_t several_times(std::size_t factor, gigi::bytes_view data) { return factor * data.size() + 16384; }

} // namespace fuzz

#ifdef GIGI_FUZZ_REPLAY

namespace fuzz {

struct target {
    std::string name;
    void (*run)(gigi::bytes_view) = nullptr;
    inputs (*seeds)() = nullptr;
    static std::vector<target> &all() {
        static std::vector<target> targets;
        return targets;
    }
};
struct registration {
    registration(char const *name, void (*run)(gigi::bytes_view), inputs (*seeds)()) { target::all().push_back({name, run, seeds}); }
};

} // namespace fuzz

#define FUZZ_TARGET(name)                                                                                                    \
    static void fuzz_one(gigi::bytes_view data);                                                                             \
    static fuzz::inputs fuzz_seeds();                                                                                        \
    static fuzz::registration const registered{#name, &fuzz_one, &fuzz_seeds};                                               \
    static void fuzz_one([[maybe_unused]] gigi::bytes_view data)

#else

#define FUZZ_TARGET(name)                                                                                                    \
    static void fuzz_one(gigi::bytes_view data);                                                                             \
    static fuzz::inputs fuzz_seeds();                                                                                        \
    extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const *bytes, std::size_t size) {                                     \
        fuzz_one({bytes, size});                                                                                             \
        return 0;                                                                                                            \
    }                                                                                                                        \
    extern "C" int LLVMFuzzerInitialize(int *, char ***) { /* with FUZZ_WRITE_SEEDS, nothing but write the seeds there */   \
        char const *const folder = std::getenv("FUZZ_WRITE_SEEDS");                                                          \
        if (!folder) return 0;                                                                                               \
        std::size_t n = 0;                                                                                                   \
        for (auto const &seed : fuzz_seeds()) {                                                                              \
            auto *const file = std::fopen((std::string{folder} + "/seed-" + std::to_string(n++)).c_str(), "wb");             \
            if (!file || std::fwrite(seed.data(), 1, seed.size(), file) != seed.size() || std::fclose(file)) std::abort();   \
        }                                                                                                                    \
        std::exit(0);                                                                                                        \
    }                                                                                                                        \
    static void fuzz_one([[maybe_unused]] gigi::bytes_view data)

#endif

#define FUZZ_SEEDS static fuzz::inputs fuzz_seeds()
