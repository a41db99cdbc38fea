// A folder that is removed at the end of a test.
#pragma once

#include <gigi/core/bytes.hpp>

#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

struct temporary_folder {
    std::filesystem::path path;

    temporary_folder() {
        static unsigned made = 0;
        path = std::filesystem::temp_directory_path() / ("gigi-test-" + std::to_string(::getpid()) + "-" + std::to_string(++made));
        std::filesystem::remove_all(path); // of a process that died
        std::filesystem::create_directory(path);
    }
    temporary_folder(temporary_folder const &) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

    std::filesystem::path write(std::string const &name, gigi::bytes_view content) const {
        std::ofstream{path / name, std::ios::binary}.write(reinterpret_cast<char const *>(content.data()),
                                                           static_cast<std::streamsize>(content.size()));
        return path / name;
    }
    std::filesystem::path write(std::string const &name, std::string_view text) const { return write(name, gigi::as_bytes(text)); }
    static std::string read(std::filesystem::path const &file) {
        std::ostringstream out;
        out << std::ifstream{file, std::ios::binary}.rdbuf();
        return std::move(out).str();
    }
    /// How many things are in the folder.
    std::size_t count() const { return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{path}, {})); }
};

/// Always the same for a seed. By a library that is compiled with optimization and without sanitizers: tests make gigabytes of it.
inline gigi::bytes random_content(std::size_t size, unsigned seed = 1) {
    gigi::bytes out(size);
    std::array<unsigned char, 32> key{};
    std::memcpy(key.data(), &seed, sizeof seed);
    std::array<unsigned char, 16> const counter_and_nonce{};
    std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> const stream{::EVP_CIPHER_CTX_new(), ::EVP_CIPHER_CTX_free};
    int done = 0;
    if (!stream || ::EVP_EncryptInit_ex(stream.get(), ::EVP_chacha20(), nullptr, key.data(), counter_and_nonce.data()) != 1 ||
        ::EVP_EncryptUpdate(stream.get(), out.data(), &done, out.data(), static_cast<int>(size)) != 1)
        throw std::runtime_error{"no random content"};
    return out;
}
