#include <gigi/file/safe_name.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <random>

namespace safe_name_test {

using namespace gigi;
using namespace std::string_literals;

TEST_CASE("safe name: ordinary names stay as they are") {
    for (std::string const name : {"talk.pdf", "a", "Müller & Söhne (2).tar.gz", "写真.jpg", "🎉 party.mp4", "no extension", "-rf", "~x", "com.txt", "console",
                                   "COM10", "a.b.c", "100%"})
        CHECK(safe_file_name(name) == name);
}

TEST_CASE("T21: no directory, no parent, no absolute path") {
    CHECK(safe_file_name("../../etc/passwd") == "passwd");
    CHECK(safe_file_name("/etc/passwd") == "passwd");
    CHECK(safe_file_name("..\\..\\boot.ini") == "boot.ini");
    CHECK(safe_file_name("C:\\x\\y.exe") == "y.exe");
    CHECK(safe_file_name("C:evil") == "C_evil");
    CHECK(safe_file_name("file.txt:stream") == "file.txt_stream");
    CHECK(safe_file_name("name/") == "file");
    CHECK(safe_file_name("..") == "file");
    CHECK(safe_file_name(".") == "file");
    CHECK(safe_file_name("") == "file");
    CHECK(safe_file_name(" . . ") == "file");
    CHECK(safe_file_name(".bashrc") == "bashrc");
    CHECK(safe_file_name("...hidden") == "hidden");
    CHECK(safe_file_name("a\0../b"s) == "b");
    CHECK(safe_file_name("good.txt\0.exe"s) == "good.txt.exe");
    CHECK(safe_file_name("\0"s) == "file");
    CHECK(safe_file_name("..\xe2\x80\x8b") == "file");  // a zero-width space to get past a test for ".."
    CHECK(safe_file_name(".\x01.") == "file");
    CHECK(safe_file_name("\xc0\xae\xc0\xae\xc0\xafx") == "______x"); // overlong "../x"
}

TEST_CASE("T23: nothing that commands a terminal or deceives the eye") {
    CHECK(safe_file_name("a\x1b[2Jb\r\n\a.txt") == "a[2Jb.txt");
    CHECK(safe_file_name("a\xc2\x9b" "31mb") == "a31mb");              // CSI as one character
    CHECK(safe_file_name("photo\xe2\x80\xaegpj.exe") == "photogpj.exe"); // right-to-left override
    CHECK(safe_file_name("a\x7f" "b") == "ab");
    CHECK(safe_file_name("a\xff\xfe" "b") == "a__b");
}

TEST_CASE("T24: no device of Windows, no name that it changes") {
    for (std::string const name : {"CON", "con", "Nul.txt", "aux.tar.gz", "COM1", "lpt9.log", "com0", "COM\xc2\xb9", "conout$", "NUL ", "nul .txt"})
        CHECK(safe_file_name(name).front() == '_');
    CHECK(safe_file_name("name. . ") == "name");
    CHECK(safe_file_name("a<b>c\"d|e?f*g") == "a_b_c_d_e_f_g");
}

TEST_CASE("T21: nothing that a download which is under way is known by") {
    for (std::string const name : {"a.part", "a.PART", "a.part.journal", "ubuntu.iso.Journal", "a.part. ", "x.part\xe2\x80\x8b"}) {
        CAPTURE(name);
        CHECK(safe_file_name(name).back() == '_');
        CHECK(safe_file_name(safe_file_name(name)) == safe_file_name(name));
    }
    CHECK(safe_file_name("a.part.journal") == "a.part.journal_");
    CHECK(numbered_file_name(safe_file_name("a.part"), 3) == "a (3).part_");
    CHECK(safe_file_name("apart") == "apart");
    CHECK(safe_file_name("part.one") == "part.one");
    CHECK(safe_file_name(std::string(300, 'a') + ".part") == std::string(194, 'a') + ".part_");
}

TEST_CASE("safe name: at most 200 bytes, cut at a character, the extension kept") {
    CHECK(safe_file_name(std::string(300, 'a') + ".pdf") == std::string(196, 'a') + ".pdf");
    std::string wide;
    for (int i = 0; i < 100; ++i) wide += "写";
    auto const cut = safe_file_name(wide + ".jpg");
    CHECK(cut.size() == 195 + 4);
    CHECK(cut.ends_with("写.jpg"));
    CHECK(safe_file_name("x." + std::string(300, 'y')).size() == 200);
    CHECK(safe_file_name(std::string(200, 'a')).size() == 200);
    for (auto const &device : {"nul." + std::string(196, 'x'), "CON" + std::string(197, ' ') + "x", "aux" + std::string(200, ' ') + "x.txt"}) { // T24
        auto const safe = safe_file_name(device);
        CHECK(safe.front() == '_');
        CHECK(safe.size() <= max_file_name);
        CHECK(safe_file_name(safe) == safe);
    }
}

TEST_CASE("safe name: whatever comes in, what comes out is harmless and stays so") {
    std::mt19937 random{11};
    std::string const alphabet = "./\\ \0\x1b:*aCON1\xc3\xa9\xe2\x80\xae\xff"s;
    for (int i = 0; i < 20'000; ++i) {
        std::string name;
        for (auto n = random() % 12; n-- > 0;) name += alphabet[random() % alphabet.size()];
        auto const safe = safe_file_name(name);
        CHECK(!safe.empty());
        CHECK(safe.size() <= max_file_name);
        CHECK(safe.find_first_of("/\\:*\x1b\0"s) == std::string::npos);
        CHECK(safe.front() != '.');
        CHECK(safe.back() != '.');
        CHECK(safe_file_name(safe) == safe);
    }
}

TEST_CASE("safe name: numbers for names that are taken") {
    CHECK(numbered_file_name("a.txt", 0) == "a.txt");
    CHECK(numbered_file_name("a.txt", 1) == "a (1).txt");
    CHECK(numbered_file_name("a.tar.gz", 12) == "a.tar (12).gz");
    CHECK(numbered_file_name("a", 2) == "a (2)");
}

} // namespace safe_name_test
