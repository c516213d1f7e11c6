// core/modules/usrloc/settle.h -- writing contacts to the database, and marking them as written.
//
// WHY    Between the copy of a contact and its row in the database others may change it, or this process may die: the
//        State in the segment says what is still to be written, whoever writes it in the end.
// LOCKS  One shard at a time, after the database is done; REQUIRES that none is locked.
// FAILS  Logged, once a second for each process, and returned; the contacts stay as they are, and the timer tries
// again.
#pragma once
#include <vector>

#include "core/base/result.h"
#include "core/modules/usrloc/store.h"

namespace kahu::usrloc {

Status write_and_settle(const std::vector<store::Row>& rows);

}  // namespace kahu::usrloc
