#include "core/stats/counters.h"

#include "mem/contract.h"

namespace kahu::stats {

int64_t* g_rows = nullptr;
int64_t g_private_row[kMaxCounters];
namespace {
constexpr size_t kRows = mem::kMaxSlots + 1;  // the last row holds what reset() subtracts
}

size_t layout_bytes() { return kRows * kMaxCounters * sizeof(int64_t); }
void construct(void* at, size_t bytes) {
    REQUIRE(bytes >= layout_bytes());
    g_rows = static_cast<int64_t*>(at);
}

int64_t of_slot(uint16_t id, int slot) {
    if (g_rows == nullptr) return 0;
    return __atomic_load_n(g_rows + static_cast<size_t>(slot) * kMaxCounters + id, __ATOMIC_RELAXED);
}
int64_t sum(uint16_t id) {
    if (g_rows == nullptr) return g_private_row[id];
    int64_t total = -of_slot(id, mem::kMaxSlots);
    for (int slot = 0; slot < mem::kMaxSlots; ++slot) total += of_slot(id, slot);
    return total;
}
void reset(uint16_t id) {
    if (g_rows == nullptr) return;
    int64_t* zero = g_rows + static_cast<size_t>(mem::kMaxSlots) * kMaxCounters + id;
    __atomic_store_n(zero, *zero + sum(id), __ATOMIC_RELAXED);
}

}  // namespace kahu::stats
