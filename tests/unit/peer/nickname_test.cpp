#include <gigi/peer/nickname.hpp>

#include <doctest/doctest.h>

#include <string>

namespace nickname_test {

using namespace gigi;

TEST_CASE("nicknames and group names: what people may be called") {
    for (auto const *good : {"a", "alice", "Jürgen Müller", "名前", "o.o", "a_b-c (1)"}) CHECK(valid_nickname(good));
    for (std::string const &bad : {std::string{}, std::string(" a"), std::string("a "), std::string("a~b"), std::string("a\"b"), std::string("a'b"), std::string("a\nb"), std::string("a\x1b[2J"),
                                   std::string("a\0b", 3), std::string("\xff"), std::string("a\xe2\x80\xae" "b"), std::string(65, 'a')})
        CHECK_FALSE(valid_nickname(bad));
    CHECK(valid_nickname(std::string(64, 'a')));
    CHECK(valid_nickname("zwei  W\u00f6rter \U0001f600"));
    CHECK(valid_nickname("\u5c71\u7530\u3000\u592a\u90ce")); // a wide blank between names
    CHECK(valid_group_name("it's ~ours~"));
    CHECK_FALSE(valid_group_name(std::string(129, 'a')));
    CHECK_FALSE(valid_group_name("a\tb"));
}

TEST_CASE("T20: nicknames: none looks like another one by characters that nobody sees") {
    for (auto const *unseen : {"\u00ad", "\u034f", "\u115f", "\u1160", "\u17b4", "\u180b", "\u180e", "\u200b", "\u200c", "\u200d", "\u2028", "\u2060", "\u2064", "\u2800",
                               "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\U000e0041", "\U000e0100"}) {
        CAPTURE(unseen);
        CHECK_FALSE(valid_nickname(std::string{"b"} + unseen + "ob"));
        CHECK_FALSE(valid_nickname(std::string{"bob"} + unseen));
        CHECK_FALSE(valid_nickname(unseen));
    }
    for (auto const *blank : {" ", "\u00a0", "\u1680", "\u2000", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000"}) {
        CAPTURE(blank);
        CHECK_FALSE(valid_nickname(std::string{"bob"} + blank));
        CHECK_FALSE(valid_nickname(blank + std::string{"bob"}));
    }
}

} // namespace nickname_test
