#include "core/base/result.h"

#include <cerrno>
#include <cstring>

namespace kahu {
Error errno_error(std::string_view doing, int errno_value) {
    Error error;
    error.code = errno_value == ENOENT ? Errc::not_found : errno_value == ENOMEM ? Errc::no_memory : Errc::io;
    error.what = std::string(doing) + ": " + std::strerror(errno_value);
    return error;
}
}  // namespace kahu
