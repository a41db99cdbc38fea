// The meter that the attacks are measured with. It replaces `operator new` for the whole program; OpenSSL's own memory is not seen.
#include "attacks/memory_meter.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <malloc.h>

namespace {

// One thread allocates in these tests but for a few that use a pool, where being off by a little does no harm.
std::size_t live_bytes = 0, peak_bytes = 0;

void *counted(std::size_t size) noexcept {
    void *const at = std::malloc(size ? size : 1);
    if (!at) return nullptr;
    auto const now = __atomic_add_fetch(&live_bytes, ::malloc_usable_size(at), __ATOMIC_RELAXED);
    if (now > peak_bytes) peak_bytes = now;
    return at;
}
void *counted_or_throw(std::size_t size) {
    if (void *const at = counted(size)) return at;
    throw std::bad_alloc{};
}
void release(void *at) noexcept {
    if (!at) return;
    __atomic_sub_fetch(&live_bytes, ::malloc_usable_size(at), __ATOMIC_RELAXED);
    std::free(at);
}

} // namespace

void *operator new(std::size_t size) { return counted_or_throw(size); }
void *operator new[](std::size_t size) { return counted_or_throw(size); }
void *operator new(std::size_t size, std::nothrow_t const &) noexcept { return counted(size); }
void *operator new[](std::size_t size, std::nothrow_t const &) noexcept { return counted(size); }
void operator delete(void *at) noexcept { release(at); }
void operator delete[](void *at) noexcept { release(at); }
void operator delete(void *at, std::size_t) noexcept { release(at); }
void operator delete[](void *at, std::size_t) noexcept { release(at); }
void operator delete(void *at, std::nothrow_t const &) noexcept { release(at); }
void operator delete[](void *at, std::nothrow_t const &) noexcept { release(at); }

namespace memory_meter {

std::size_t live() noexcept { return __atomic_load_n(&live_bytes, __ATOMIC_RELAXED); }
std::size_t peak() noexcept { return peak_bytes; }
void restart() noexcept { peak_bytes = live(); }

} // namespace memory_meter

TEST_CASE("memory meter: counts what is held, and the most that was") {
    memory_meter::span const used;
    auto kept = std::make_unique<std::vector<char>>(100'000);
    { std::string const passing(300'000, 'x'); }
    CHECK(used.held() >= 100'000);
    CHECK(used.held() < 110'000);
    CHECK(used.most() >= 400'000);
    CHECK(used.most() < 420'000);
    kept.reset();
    CHECK(used.held() < 1000);
}
