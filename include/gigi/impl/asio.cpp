// gigi/impl/asio.cpp: Asio's definitions, likewise; with -DASIO_SEPARATE_COMPILATION, as in every other source file.
#include "../core/asio.hpp"

#include <asio/impl/src.hpp>
