// core/stats/registry.h -- the names of all counters: what cnt.*, stats.* and the metrics page list.
//
// WHY    A counter is a row of its module's table; its cell number is given out here, once, at start.
//        Figures that nobody counts (bytes in use, open connections) are rows too, with a function to ask.
// LIVES  Process-private, filled before the first fork: every process has the same numbers.
//        Cell 0 belongs to no row: an id that was not registered (a unit test, a module not loaded) counts there.
// LOCKS  None.
// FAILS  register_counters() REQUIREs that there is a cell left (kMaxCounters).  A name registered twice
//        shares one cell, so that two modules may count the same thing and tests may register again.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/stats/counter.h"

namespace kahu::stats {

// A figure that is read from elsewhere when asked for; cannot be reset.
struct Computed {
    std::string_view group, name, help;
    int64_t (*read)() = nullptr;
};

// One row as listed: by group, then by name.  Borrowed text: the tables are constant.
struct Row {
    std::string_view group, name, help;
    CounterKind kind = CounterKind::counter;
    uint16_t id = 0;  // when read is null
    int64_t (*read)() = nullptr;

    int64_t value() const;  // over all processes
    bool resettable() const { return read == nullptr; }
};

void register_counters(std::span<const Counter> rows);
void register_computed(std::span<const Computed> rows);

const std::vector<Row>& all_rows();                                  // sorted by group and name
const Row* find_row(std::string_view group, std::string_view name);  // nullptr: none
const Row* find_row_named(std::string_view name);                    // the first group that has it
std::span<const Row> rows_of(std::string_view group);                // empty: no such group
std::vector<std::string_view> groups();
void reset_row(const Row& row);  // computed rows: nothing happens

}  // namespace kahu::stats
