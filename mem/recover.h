// mem/recover.h -- puts right what a dead process left behind.
//
// WHY    Called by the supervisor between waitpid() and the fork of the successor: releases the locks in the
//        slot's journal, clears its hazard pointer, finishes or undoes its last heap operation, wakes waiters.
// LIVES  The process must be dead (waited for); its successor not yet running.  REQUIREs slot != our own.
// LOCKS  Takes none, allocates nothing, and may be repeated or interrupted and repeated: same end.
// FAILS  Never.  heap_sane == false: the heap's bookkeeping had been scribbled on; restart on a fresh segment.
#pragma once

namespace kahu::mem {

struct RecoveryReport {
    int readers_released = 0;
    int writers_released = 0;         // each left a lock poisoned: what it guards may be half written
    int global_writers_released = 0;  // of those, locks marked global: nothing repairs that, restart on a fresh segment
    bool hazard_cleared = false;
    bool heap_operation_settled = false;  // it died inside allocate() or deallocate()
    bool heap_sane = true;
};
RecoveryReport recover_slot(int slot) noexcept;

}  // namespace kahu::mem
