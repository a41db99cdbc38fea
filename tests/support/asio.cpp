// Asio's own sources, compiled once for all tests (they define ASIO_SEPARATE_COMPILATION).
#include <asio/impl/src.hpp>
