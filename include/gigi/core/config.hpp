// gigi/core/config.hpp: which compilers will do, and whether gigi is header-only or compiled once.
//
// Layer: core. A header `foo.hpp` declares, and includes `impl/foo.ipp`, which defines. Where `GIGI_SEPARATE_COMPILATION` is defined
// it does not: then one source file of the program includes `gigi/impl/src.hpp` instead. The macro must be the same in all of them.
// core/asio.hpp and core/error.hpp, from which all else begins, include it first: what a compiler lacks is said before anything else.
#pragma once

#if defined(_MSVC_LANG) ? _MSVC_LANG < 202002L : __cplusplus < 202002L
#error "gigi needs C++20: compile with -std=c++20"
#endif
#if defined(__clang__) && !defined(__apple_build_version__) && __clang_major__ < 16
#error "gigi needs clang 16 or newer"
#elif defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 12
#error "gigi needs g++ 12 or newer"
#endif

#ifdef GIGI_SEPARATE_COMPILATION
#define GIGI_INLINE
#else
#define GIGI_INLINE inline
#endif
