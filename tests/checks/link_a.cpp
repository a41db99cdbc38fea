// One of two translation units that include every public header: they must link into one program.
#include "every_header.hpp"
#include "every_header.hpp"

std::string_view version_seen_by_b();

int main() { return version_seen_by_b() == gigi::version ? 0 : 1; }
