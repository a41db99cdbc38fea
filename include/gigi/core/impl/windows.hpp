// gigi/core/impl/windows.hpp: the system's headers on Windows, in the one order in which they go together.
//
// Layer: core.
#pragma once

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif

#include <winsock2.h> // before windows.h, which brings an older one
#include <ws2tcpip.h>

#include <windows.h>
#endif
