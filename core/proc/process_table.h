// core/proc/process_table.h -- every process of this server, one row per slot.
//
// WHY    core.ps, `ps` titles, the supervisor and whoever wants to wake another process read one table.
// LIVES  A part of the segment; row = slot (mem/slot.h).  Rows are filled by the supervisor before the first fork and
//        never move.  The supervisor itself keeps what it must trust (pid per slot) in private memory too.
// LOCKS  None.  pid, status and the counts are atomics; the rest is constant after the first fork.
// DEATH  A successor takes over its predecessor's row: incarnation + 1, a new pid.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/module/descriptor.h"
#include "core/proc/deaths.h"

namespace kahu::proc {

enum class ProcessStatus : uint8_t { none, starting, running, stopping, dead };

struct ProcessEntry {
    std::atomic<pid_t> pid;
    std::atomic<ProcessStatus> status;
    ProcessKind kind;
    int16_t number;                        // counts from 0 among those of its kind (and listener)
    int16_t listener;                      // udp workers: index into net::listeners(), else -1
    std::atomic<uint32_t> incarnation;     // 1 for the first
    std::atomic<int64_t> started_unix;     // seconds
    std::atomic<int32_t> load;             // tcp workers: connections they own
    std::atomic<int64_t> turned_ms;        // clock::Millis of the last loop turn
    std::atomic<int64_t> last_death_unix;  // of its latest predecessor; 0: none died
    std::atomic<int> last_wait_status;     // as waitpid() gave it
    std::atomic<Cause> last_cause;
    char title[96];  // "tcp receiver (generic) child=0"

    std::string_view title_text() const { return title; }
};

size_t process_table_bytes();
void construct_process_table(void* at, size_t bytes);

int process_count();              // rows in use; slots 0 .. process_count()-1
ProcessEntry& process(int slot);  // REQUIRES: 0 <= slot < process_count()
// Supervisor only, before the first fork.  Returns the slot; REQUIRES: fewer than mem::kMaxSlots rows.
int add_process(ProcessKind kind, int number, int listener, std::string_view title);

// How long processes have to finish what they do once they were asked to stop: exit_timeout=, or what core.drain said.
clock::Millis stop_patience();
void set_stop_patience(clock::Millis patience);

// --- core.drain: a stop that first lets what is under way end ------------------------------------------------
// Who counts things that take longer than one message (module tm: transactions) says so before the workers are forked,
// refuses new ones while draining(), and notes meanwhile, from the timer process, how many are left.
void promise_to_note_under_way();
void begin_draining();
bool draining();
void note_under_way(uint64_t count);
uint64_t under_way();  // 0 if nobody promised

// The eventfd that wakes a process from its loop; made by add_process(), inherited by all.
int doorbell(int slot);
void ring(int slot);

}  // namespace kahu::proc
