// gigi/version.hpp: which gigi this is. The build files read the version from here.
//
// Layer: below core; includes nothing of gigi.
#pragma once

#include <string_view>

#define GIGI_VERSION_MAJOR 0
#define GIGI_VERSION_MINOR 1
#define GIGI_VERSION_PATCH 0

#define GIGI_DETAIL_QUOTE(x) #x
#define GIGI_DETAIL_VERSION(a, b, c) GIGI_DETAIL_QUOTE(a) "." GIGI_DETAIL_QUOTE(b) "." GIGI_DETAIL_QUOTE(c)

namespace gigi::inline v1 {

/// The version as text: major.minor.patch.
inline constexpr std::string_view version = GIGI_DETAIL_VERSION(GIGI_VERSION_MAJOR, GIGI_VERSION_MINOR, GIGI_VERSION_PATCH);

} // namespace gigi::inline v1

#undef GIGI_DETAIL_VERSION
#undef GIGI_DETAIL_QUOTE
