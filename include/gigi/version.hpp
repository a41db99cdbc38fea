// gigi/version.hpp: the version, in one place; the build files read it from here.
#pragma once

#define GIGI_VERSION_MAJOR 0
#define GIGI_VERSION_MINOR 1
#define GIGI_VERSION_PATCH 0

namespace gigi::inline v1 {

inline constexpr char const *version = "0.1.0";

} // namespace gigi::inline v1
