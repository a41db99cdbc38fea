// Asio's TLS, compiled once, as the rest of Asio is in gigi::compiled.
#include <asio/ssl/impl/src.hpp>
