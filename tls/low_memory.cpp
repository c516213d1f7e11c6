#include "tls/low_memory.h"

#include <algorithm>

#include "core/base/clock.h"
#include "mem/heap_stats.h"
#include "tls/settings.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

constexpr clock::Millis kFreshFor = 20;
constexpr int64_t kAutomatic = -1;

// An eighth of the heap, which is 2 MB of 16, but not more than 16 MB: handshakes under way still need theirs.
int64_t threshold_bytes(size_t total) {
    const int64_t kilobytes = low_mem_threshold1;
    if (kilobytes != kAutomatic) return kilobytes * 1024;
    return static_cast<int64_t>(std::min<size_t>(total / 8, size_t{16} << 20));
}

}  // namespace

const char* why_no_memory(Transport transport) {
    static clock::Millis asked = -kFreshFor;
    static bool low = false;
    if (transport != Transport::tls || !openssl_is_shared() || low_mem_threshold1 == 0) return nullptr;
    if (clock::now_ms() - asked >= kFreshFor) {
        asked = clock::now_ms();
        const mem::HeapStats heap = mem::heap_stats();
        low = static_cast<int64_t>(heap.free) < threshold_bytes(heap.total);
    }
    return low ? "low_mem_threshold1" : nullptr;
}

}  // namespace kahu::tls
