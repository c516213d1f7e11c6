// core/modules/tm/by_call.h -- transactions named by others: Call-ID and CSeq number, or index and label.
//
// WHY    RPC commands and script functions end and answer transactions that are not those of the running script.
// LOCKS  Each takes the lock of one shard and lets go of it; the caller holds none.
#pragma once
#include <optional>
#include <string_view>

#include "core/modules/tm/server.h"
#include "core/modules/tm/transaction.h"

namespace kahu::tm {

// Cancels the branches of the INVITEs with that Call-ID and CSeq.  False: there is none.
// `reason`: whole Reason header line, or empty.  `flag` 0..31: set for the routes that follow; others: none.
bool cancel_call(std::string_view call_id, uint32_t cseq, std::string_view reason = {}, int flag = -1);

// The request from outside with that Call-ID and CSeq.  None: {}.
Id find_call(std::string_view call_id, uint32_t cseq);
// Answers it; a final answer cancels its branches.  False: it is over or answered.
bool answer_from_outside(Id id, const LocalAnswer& what);

// Removes what nothing waits for any more, if the timer process should be far behind.
void remove_ended();

}  // namespace kahu::tm
