// core/modules/acc/rows.h -- accounting rows on their way into the database.
//
// WHY    A worker never waits for a disk: rows are queued in the segment, the timer process writes them, once a second.
// LIVES  A queue in the segment, of at most kMaxWaiting rows; the connection is the timer process's own.
// LOCKS  None.
// DEATH  A row that was queued outlives its worker.  The timer process marks a row as written after it is: killed in
//        between, its successor writes that one row again.
// FAILS  What does not fit is dropped, counted, and logged once a second.  While the database cannot be written, rows
// wait.
#pragma once
#include <span>

#include "core/modules/acc/record.h"
#include "core/stats/counter.h"
#include "mem/segment.h"

namespace kahu::acc {

inline constexpr int32_t kMaxWaiting = 20'000;

enum class Table : uint8_t { acc, missed_calls };

void write_row(script::Run& run, const Record& record, Table table);

// --- hooks ---------------------------------------------------------------------------------------------------
std::span<const mem::Part> row_parts();
Status make_tables();  // one process, as the user that it will run as
void save_rows();      // timer process
std::span<const Counter> row_counters();

}  // namespace kahu::acc
