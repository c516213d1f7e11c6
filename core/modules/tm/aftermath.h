// core/modules/tm/aftermath.h -- a transaction whose shard was held by a process that died.
//
// WHY    Links are whole, and so is each field, but not all that belongs to one step was done: a state without the
//        timer that ends it, a branch whose end nobody noted.  Such a transaction would never end, or end without an
//        answer.
// LOCKS  The transaction's shard is held.
// RULES  Nothing is sent; a CANCEL that was not is left to the timer.  A final reply that was lost with the process is
//        waited for again where its sender repeats it (2xx to INVITE), else its status is known, else it is 500.
#pragma once
#include "core/base/clock.h"
#include "core/modules/tm/transaction.h"

namespace kahu::tm {

// REQUIRES: is_valid().
void put_right(Transaction& t, clock::Millis now);

}  // namespace kahu::tm
