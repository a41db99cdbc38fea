// Asio's own sources, compiled once for all tests (they define ASIO_SEPARATE_COMPILATION).
#include <cstdlib> // first, as in core/asio.hpp: Asio asks libstdc++'s configuration how to allocate

#include <asio/impl/src.hpp>
