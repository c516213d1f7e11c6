// mem/contract.cpp -- see contract.h.
#include "mem/contract.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace kahu {

void contract_broken(const char* kind, const char* condition, const char* file, int line) noexcept {
    char text[512];
    const int length = snprintf(text, sizeof text, "kahu[%d]: %s broken: %s at %s:%d\n", static_cast<int>(getpid()),
                                kind, condition, file, line);
    const size_t bytes = length < 0 ? 0 : static_cast<size_t>(length) < sizeof text ? length : sizeof text - 1;
    // One write(2): no stdio lock that a fork may have left taken.  Nothing more can be done if it fails.
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, bytes);
    abort();
}

}  // namespace kahu
