// core/base/result.h -- the one way an operation fails.
//
// A layer that knows more adds context(); it does not log.  Whoever drops the error logs it,
// once.  Wire input never uses this type: a malformed SIP message is normal traffic (see Bad in
// core/sip/bad.h).
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace kahu {

enum class Errc : unsigned char { invalid, not_found, no_memory, io, protocol, timeout, unsupported, exists };

struct [[nodiscard]] Error {
    Errc code = Errc::invalid;
    std::string what;  // "could not bind udp:10.0.0.1:5060: Address already in use"
    std::string hint;  // "Is another instance running?"  -- may be empty

    Error context(std::string_view doing) && {
        what.insert(0, ": ").insert(0, doing);
        return std::move(*this);
    }
    // Fact, cause and remedy in one line, as users read it.
    std::string text() const { return hint.empty() ? what : what + " (" + hint + ")"; }
};

// A subset of std::expected<T, Error>, same spelling.
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
    explicit operator bool() const noexcept { return state_.index() == 0; }
    T& operator*() & { return std::get<0>(state_); }
    const T& operator*() const& { return std::get<0>(state_); }
    T&& operator*() && { return std::get<0>(std::move(state_)); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }
    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}
    explicit operator bool() const noexcept { return !failed_; }
    const Error& error() const& { return error_; }
    Error&& error() && { return std::move(error_); }

  private:
    Error error_;
    bool failed_ = false;
};
using Status = Result<void>;

// errno as an Error: fail_errno("could not open " + path).
Error errno_error(std::string_view doing, int errno_value);

}  // namespace kahu
