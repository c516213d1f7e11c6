// mem/failure.cpp -- see failure.h.
#include "mem/failure.h"

#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "mem/heap_layout.h"
#include "mem/slot_record.h"

namespace kahu::mem {
namespace {

struct Countdown {
    long left = -1;  // steps until it happens; -1: not armed
    long taken = 0;
    int signal = SIGKILL;
};
Countdown kill_countdown[static_cast<int>(Point::count_)];
void (*watcher)(Point point, long step) = nullptr;
long allocations_left = -1;
bool allocation_failed = false, failing_for_good = false;

void rearm() noexcept {
    detail::injecting = allocations_left >= 0;
    for (const Countdown& countdown : kill_countdown) detail::injecting |= countdown.left >= 0;
    detail::refresh_own_record();
}

}  // namespace

FailAllocation::FailAllocation(long nth, bool for_good) noexcept : first_(nth) {
    allocations_left = nth;
    failing_for_good = for_good;
    allocation_failed = false;
    rearm();
}

FailAllocation::~FailAllocation() {
    allocations_left = -1;
    rearm();
}

bool FailAllocation::fired() const noexcept { return allocation_failed; }
long FailAllocation::seen() const noexcept { return first_ - allocations_left; }

void kill_at(Point point, long nth, int signal) noexcept {
    Countdown& countdown = kill_countdown[static_cast<int>(point)];
    countdown.left = nth;
    countdown.signal = signal;
    if (nth >= 0) countdown.taken = 0;
    rearm();
}

void watch_steps(void (*see)(Point point, long step)) noexcept { watcher = see; }

long steps_taken(Point point) noexcept { return kill_countdown[static_cast<int>(point)].taken; }

bool damage_heap_of(int slot) noexcept {
    for (uint32_t i = 0; i < detail::heap_geometry.spans; ++i) {
        if (detail::heap_geometry.map[i].load() != detail::small_mark(slot)) continue;
        std::memset(static_cast<void*>(&detail::heap_geometry.span[i]), 0xa5, sizeof(detail::Span));
        return true;
    }
    return false;
}

namespace detail {

void injection_step(Point point) noexcept {
    Countdown& countdown = kill_countdown[static_cast<int>(point)];
    if (countdown.left < 0) return;
    if (watcher != nullptr) watcher(point, countdown.taken);
    ++countdown.taken;
    if (countdown.left-- > 0) return;
    kill(getpid(), countdown.signal);
    for (;;) pause();
}

bool allocation_must_fail() noexcept {
    if (allocations_left < 0 || allocations_left-- > 0) return false;
    if (failing_for_good) allocations_left = 0;
    allocation_failed = true;
    return true;
}

}  // namespace detail
}  // namespace kahu::mem
