// The other of the two translation units; see link_a.cpp.
#include "every_header.hpp"

std::string_view version_seen_by_b();
std::string_view version_seen_by_b() { return gigi::version; }
