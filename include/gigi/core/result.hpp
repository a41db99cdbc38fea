// gigi/core/result.hpp: a value or an error code, for parsers that meet hostile bytes and must not throw.
//
// Layer: core.
#pragma once

#include "error.hpp"

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace gigi::inline v1 {

/// Either a `T` or the `std::error_code` that says why there is none.
template <class T> class [[nodiscard]] result {
  public:
    using value_type = T;

    result(T value) : value_{std::move(value)} {}
    result(errc e) : error_{make_error_code(e)} {}
    result(std::error_code e) : error_{e} {}

    explicit operator bool() const noexcept { return value_.has_value(); }
    bool has_value() const noexcept { return value_.has_value(); }

    /// The value; there must be one.
    T &operator*() & noexcept { return *value_; }
    T const &operator*() const & noexcept { return *value_; }
    T &&operator*() && noexcept { return std::move(*value_); }
    T *operator->() noexcept { return &*value_; }
    T const *operator->() const noexcept { return &*value_; }

    /// Why there is no value; a zero code where there is one.
    std::error_code error() const noexcept { return error_; }

    /// The value. @throws gigi::error where there is none
    T &value() & {
        check();
        return *value_;
    }
    T const &value() const & {
        check();
        return *value_;
    }
    T &&value() && {
        check();
        return std::move(*value_);
    }

  private:
    void check() const {
        if (!value_) throw gigi::error{error_};
    }

    std::optional<T> value_;
    std::error_code error_;
};

} // namespace gigi::inline v1
