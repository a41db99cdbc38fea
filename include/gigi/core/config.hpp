// gigi/core/config.hpp: whether gigi is header-only or compiled once.
//
// Layer: core. A header `foo.hpp` declares, and includes `impl/foo.ipp`, which defines. Where `GIGI_SEPARATE_COMPILATION` is defined
// it does not: then one source file of the program includes `gigi/impl/src.hpp` instead. The macro must be the same in all of them.
#pragma once

#ifdef GIGI_SEPARATE_COMPILATION
#define GIGI_INLINE
#else
#define GIGI_INLINE inline
#endif
