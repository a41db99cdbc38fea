// docs/examples/expect.hpp: what the documents' programs share: they end with 0 only where everything was as expected.
#pragma once

#include <gigi/core/asio.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

/// Ends the program with 1 where something is not as the document says.
inline void expect(bool right, char const *what) {
    if (right) return;
    std::fprintf(stderr, "not as documented: %s\n", what);
    std::exit(1);
}

/// Runs a coroutine to its end. @return the program's exit code
inline int run(asio::io_context &io, gigi::awaitable<void> task) {
    int code = 1;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure) {
        code = 0;
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (std::exception const &e) {
            std::fprintf(stderr, "failed: %s\n", e.what());
            code = 1;
        }
        io.stop();
    });
    io.run_for(std::chrono::seconds{60});
    return code;
}
