#include "tls/low_memory.h"

#include <algorithm>

#include "core/base/clock.h"
#include "mem/heap_stats.h"
#include "mem/segment.h"
#include "tls/settings.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

// Asking takes a microsecond for each 64 MB; meanwhile a worker may begin some handshakes of 92 KB each.
constexpr clock::Millis kLongestFresh = 20;
constexpr size_t kBytesPerMilli = size_t{64} << 20;
constexpr int64_t kAutomatic = -1;

// An eighth of the heap, which is 2 MB of 16, but not more than 16 MB: handshakes under way still need theirs.
int64_t threshold_bytes(size_t total) {
    const int64_t kilobytes = low_mem_threshold1;
    if (kilobytes != kAutomatic) return kilobytes * 1024;
    return static_cast<int64_t>(std::min<size_t>(total / 8, size_t{16} << 20));
}

bool is_below(int64_t bytes) {
    static clock::Millis asked = -kLongestFresh;
    static int64_t free = 0;
    const clock::Millis now = clock::read();
    const auto fresh_for = static_cast<clock::Millis>(mem::segment_info().heap_bytes / kBytesPerMilli);
    if (now - asked >= std::min(fresh_for, kLongestFresh)) {
        asked = now;
        free = static_cast<int64_t>(mem::heap_stats().free);
    }
    return free < bytes;
}

}  // namespace

const char* why_no_memory(Transport transport) {
    if (transport != Transport::tls || !openssl_is_shared() || low_mem_threshold1 == 0) return nullptr;
    return is_below(threshold_bytes(mem::segment_info().heap_bytes)) ? "low_mem_threshold1" : nullptr;
}

bool memory_for_none() {
    const int64_t kilobytes = low_mem_threshold2;
    return kilobytes > 0 && openssl_is_shared() && is_below(kilobytes * 1024);
}

}  // namespace kahu::tls
