// gigi/core/impl/error.ipp: what error.hpp declares.
#pragma once

#include "../error.hpp"

#include "../config.hpp"
#include "windows.hpp"

#include <string_view>

namespace gigi::inline v1 {

namespace detail {

struct error_category_impl final : std::error_category {
    char const *name() const noexcept override { return "gigi"; }
    std::string message(int code) const override { return describe(static_cast<errc>(code)); }
};

struct condition_category_impl final : std::error_category {
    char const *name() const noexcept override { return "gigi.condition"; }
    std::string message(int code) const override {
        switch (static_cast<condition>(code)) {
        case condition::cancelled: return "cancelled";
        case condition::timed_out: return "timed out";
        case condition::closed: return "closed";
        case condition::unreachable: return "unreachable";
        case condition::protocol_violation: return "protocol violation";
        case condition::limit_exceeded: return "limit exceeded";
        case condition::untrusted: return "untrusted";
        case condition::invalid_input: return "invalid input";
        case condition::io_error: return "input/output error";
        }
        return "unknown condition";
    }
    bool equivalent(std::error_code const &code, int wanted) const noexcept override {
        return matches(code, static_cast<condition>(wanted));
    }
};

} // namespace detail

GIGI_INLINE std::error_category const &error_category() noexcept {
    static detail::error_category_impl const instance;
    return instance;
}

GIGI_INLINE std::error_category const &condition_category() noexcept {
    static detail::condition_category_impl const instance;
    return instance;
}

GIGI_INLINE std::error_condition make_error_condition(condition c) noexcept {
    return {static_cast<int>(c), condition_category()};
}

namespace detail {

#ifdef _WIN32
/// What a number of Windows is by the standard's names, of which standard libraries there know few. Zero: none of those that matter.
inline std::errc standard_name(int code) noexcept {
    switch (code) {
    case ERROR_OPERATION_ABORTED: return std::errc::operation_canceled;
    case WSAETIMEDOUT:
    case ERROR_SEM_TIMEOUT: return std::errc::timed_out;
    case WSAECONNRESET:
    case WSAENETRESET:
    case ERROR_NETNAME_DELETED: return std::errc::connection_reset;
    case WSAESHUTDOWN:
    case ERROR_BROKEN_PIPE: return std::errc::broken_pipe;
    case WSAECONNABORTED:
    case ERROR_CONNECTION_ABORTED: return std::errc::connection_aborted;
    case WSAENOTCONN: return std::errc::not_connected;
    case WSAENOTSOCK:
    case WSAEBADF:
    case ERROR_INVALID_HANDLE: return std::errc::bad_file_descriptor;
    case WSAECONNREFUSED:
    case ERROR_CONNECTION_REFUSED:
    case ERROR_PORT_UNREACHABLE: return std::errc::connection_refused;
    case WSAEHOSTUNREACH:
    case ERROR_HOST_UNREACHABLE: return std::errc::host_unreachable;
    case WSAENETUNREACH:
    case ERROR_NETWORK_UNREACHABLE: return std::errc::network_unreachable;
    case WSAEADDRINUSE: return std::errc::address_in_use;
    case WSAEADDRNOTAVAIL: return std::errc::address_not_available;
    case WSAEAFNOSUPPORT: return std::errc::address_family_not_supported;
    case WSAEPROTONOSUPPORT: return std::errc::protocol_not_supported;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: return std::errc::no_such_file_or_directory;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL: return std::errc::no_space_on_device;
    case ERROR_CRC:
    case ERROR_IO_DEVICE: return std::errc::io_error;
    default: return {};
    }
}
#endif

GIGI_INLINE std::error_code portable(std::error_code const &code) noexcept {
    bool const of_asio = std::string_view{code.category().name()} == "asio.system";
#ifdef _WIN32
    if (of_asio || code.category() == std::system_category())
        if (auto const known = standard_name(code.value()); known != std::errc{}) return std::make_error_code(known);
#endif
    return of_asio ? std::error_code{code.value(), std::system_category()} : code;
}

inline bool matches(std::error_code const &original, condition wanted) noexcept {
    auto const code = portable(original);
    if (code.category() == error_category()) {
        switch (static_cast<errc>(code.value())) {
        case errc::cancelled: return wanted == condition::cancelled;
        case errc::timed_out: return wanted == condition::timed_out;
        case errc::stopped:
        case errc::closed:
        case errc::reset:
        case errc::end_of_stream:
        case errc::idle: return wanted == condition::closed;
        case errc::refused:
        case errc::unreachable:
        case errc::no_addresses: return wanted == condition::unreachable;
        case errc::protocol_violation:
        case errc::unsupported_protocol:
        case errc::frame_too_large:
        case errc::flow_control: return wanted == condition::protocol_violation;
        case errc::limit_exceeded:
        case errc::message_too_large: return wanted == condition::limit_exceeded;
        case errc::bad_signature:
        case errc::decryption_failed:
        case errc::peer_mismatch:
        case errc::unsupported_key:
        case errc::hash_mismatch: return wanted == condition::untrusted;
        case errc::invalid_argument:
        case errc::invalid_address:
        case errc::invalid_name:
        case errc::unknown_peer:
        case errc::ambiguous_nickname:
        case errc::self_dial:
        case errc::not_joined:
        case errc::unknown_code: return wanted == condition::invalid_input;
        case errc::bad_identity_file:
        case errc::bad_share_list:
        case errc::file_not_found:
        case errc::file_changed:
        case errc::disk_full:
        case errc::io_error: return wanted == condition::io_error;
        case errc::address_in_use:
        case errc::rejected:
        case errc::not_supported: return false;
        }
        return false;
    }
    auto const is = [&](std::errc e) { return code == e; };
    switch (wanted) {
    case condition::cancelled: return is(std::errc::operation_canceled);
    case condition::timed_out: return is(std::errc::timed_out);
    case condition::closed: // Asio's end-of-file is code 2 of its category "asio.misc"
        return is(std::errc::connection_reset) || is(std::errc::broken_pipe) || is(std::errc::connection_aborted) ||
               is(std::errc::not_connected) || is(std::errc::bad_file_descriptor) ||
               (code.value() == 2 && std::string_view{code.category().name()} == "asio.misc");
    case condition::unreachable:
        return is(std::errc::connection_refused) || is(std::errc::host_unreachable) || is(std::errc::network_unreachable);
    case condition::io_error: return is(std::errc::io_error) || is(std::errc::no_space_on_device);
    default: return false;
    }
}

} // namespace detail

GIGI_INLINE error::error(std::error_code code, std::string context)
    : std::system_error{code, context}, context_{std::move(context)} {}

GIGI_INLINE std::string error_name(std::error_code const &original) {
    auto const code = detail::portable(original);
    if (!code) return "ok";
    if (code.category() == error_category()) return name(static_cast<errc>(code.value()));
    if (code == condition::cancelled) return name(errc::cancelled);
    if (code == condition::timed_out) return name(errc::timed_out);
    if (code == condition::closed) return name(errc::closed);
    if (code == std::errc::connection_refused) return name(errc::refused);
    if (code == condition::unreachable) return name(errc::unreachable);
    if (code == std::errc::no_space_on_device) return name(errc::disk_full);
    if (code == std::errc::address_in_use) return name(errc::address_in_use);
    if (code == std::errc::no_such_file_or_directory) return name(errc::file_not_found);
    return name(errc::io_error);
}

} // namespace gigi::inline v1
