#include "core/base/unique_id.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/clock.h"

namespace kahu {

std::string_view make_unique_id(std::string_view prefix, char* into) {
    static const int64_t started = clock::unix_seconds();
    static int made_by = 0;
    static uint32_t made = 0;
    if (made_by != ::getpid()) made_by = ::getpid(), made = 0;
    const auto end = fmt::format_to_n(into, kUniqueIdBytes, "{}-{:x}-{:x}-{:x}", prefix, started, made_by, ++made);
    return {into, end.size};
}

}  // namespace kahu
