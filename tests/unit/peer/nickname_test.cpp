#include <gigi/peer/nickname.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace gigi;

TEST_CASE("nicknames and group names: what people may be called") {
    for (auto const *good : {"a", "alice", "Jürgen Müller", "名前", "o.o", "a_b-c (1)"}) CHECK(valid_nickname(good));
    for (std::string const &bad : {std::string{}, std::string(" a"), std::string("a "), std::string("a~b"), std::string("a\"b"), std::string("a'b"), std::string("a\nb"), std::string("a\x1b[2J"),
                                   std::string("a\0b", 3), std::string("\xff"), std::string("a\xe2\x80\xae" "b"), std::string(65, 'a')})
        CHECK_FALSE(valid_nickname(bad));
    CHECK(valid_nickname(std::string(64, 'a')));
    CHECK(valid_group_name("it's ~ours~"));
    CHECK_FALSE(valid_group_name(std::string(129, 'a')));
    CHECK_FALSE(valid_group_name("a\tb"));
}
