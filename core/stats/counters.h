// core/stats/counters.h -- counters: one cell per process slot, summed on read.
//
// WHY    Counting must cost one store to memory that no other process writes.
// LIVES  A part of the segment: kMaxSlots rows of kMaxCounters cells; cells survive their process.
// LOCKS  None: a cell is written by its slot's owner only (a successor goes on where it stopped).
// FAILS  Never.  Before the segment exists, and in processes without a slot, add() goes to a
//        process-private row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::stats {

constexpr size_t kMaxCounters = 512;

size_t layout_bytes();
void construct(void* at, size_t bytes);  // for the segment's part "counters"

extern int64_t* g_rows;  // [slot][counter]
extern int64_t g_private_row[kMaxCounters];

inline int64_t* row() {
    const int slot = mem::current_slot();
    return g_rows != nullptr && slot >= 0 ? g_rows + static_cast<size_t>(slot) * kMaxCounters : g_private_row;
}
inline void add(uint16_t id, int64_t n = 1) {
    int64_t* cell = row() + id;
    __atomic_store_n(cell, *cell + n, __ATOMIC_RELAXED);
}
int64_t sum(uint16_t id);  // over all slots, since start or the last reset
int64_t of_slot(uint16_t id, int slot);
void reset(uint16_t id);  // remembers the sum as the new zero, so that no other process's cell is written

}  // namespace kahu::stats
