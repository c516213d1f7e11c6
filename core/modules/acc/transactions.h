// core/modules/acc/transactions.h -- transactions accounted by flags, when module tm says that they ended.
//
// WHY    The fields, flags and moments are those of Kamailio's module acc: what reads its lines and tables goes on.
// LOCKS  None; in the process that saw the end.
#pragma once

namespace kahu::acc {
// Before the workers are forked.
void observe_transactions();
}  // namespace kahu::acc
