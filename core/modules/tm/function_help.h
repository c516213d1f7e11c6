// core/modules/tm/function_help.h -- what the files with script functions share.
//
// LIVES  Internal to the module.
#pragma once
#include <span>

#include "core/modules/tm/current.h"
#include "core/modules/tm/table.h"
#include "core/script/run.h"

namespace kahu::tm {

constexpr int kTrue = 1, kFalse = -1, kEnd = 0;
constexpr int truth(bool b) { return b ? kTrue : kFalse; }

std::span<const Function> request_functions();  // functions.cpp: relaying, transactions, answers
std::span<const Function> state_functions();    // state_functions.cpp: routes to run, questions, timers

// What this request does otherwise than the parameters say; before the transaction is made, too.
void set_way(script::Run& run, Way way, bool on);

// A question about the transaction of the run; false if it has none.
template <class F>
int ask(script::Run& run, F&& question) {
    const Current& c = current(run);
    if (!c.id) return kFalse;
    const Locked shard(c.id);
    const Transaction* t = shard.find(c.id.label);
    return truth(t != nullptr && question(*t));
}
// A change of it.
template <class F>
void change(script::Run& run, F&& how) {
    const Current& c = current(run);
    if (!c.id) return;
    Locked shard(c.id);
    if (Transaction* t = shard.find(c.id.label)) {
        how(*t);
        (void)shard.settle(t);
    }
}

}  // namespace kahu::tm
