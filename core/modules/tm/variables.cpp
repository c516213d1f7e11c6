#include "core/modules/tm/variables.h"

#include "core/modules/tm/current.h"
#include "core/modules/tm/table.h"
#include "core/script/value.h"
#include "core/script/variable.h"

namespace kahu::tm {
namespace {

using script::Run;
using script::Value;
using script::VariableUse;

template <class F>
Value ask(Run& run, F&& question) {
    const Current& c = current(run);
    if (!c.id) return Value::none();
    const Locked shard(c.id);
    const Transaction* t = shard.find(c.id.label);
    return t == nullptr ? Value::none() : Value::of(static_cast<int64_t>(question(*t)));
}

Value branch_index(Run& run, const VariableUse&) {
    const int branch = current(run).branch;
    return branch < 0 ? Value::none() : Value::of(int64_t{branch});
}
Value reply_code(Run& run, const VariableUse&) {
    if (!run.is_request()) return Value::of(int64_t{run.message().status()});
    if (run.kind() == kFailureRoute) return Value::of(int64_t{current(run).failure_status});
    return ask(run, [](const Transaction& t) { return t.status; });
}
Value index(Run& run, const VariableUse&) {
    return ask(run, [](const Transaction& t) { return t.id.shard; });
}
Value label(Run& run, const VariableUse&) {
    return ask(run, [](const Transaction& t) { return t.id.label; });
}
Value branches(Run& run, const VariableUse&) {
    return ask(run, [](const Transaction& t) { return t.branches; });
}

const Variable kVariables[] = {
    {.name = "T_branch_idx", .help = "Number of the branch, in branch and reply routes.", .get = branch_index},
    {.name = "T_reply_code",
     .help = "Status of the reply the route runs for, or of the last one sent.",
     .get = reply_code},
    {.name = "T_reply_last", .help = "Status of the last reply sent.", .get = reply_code},
    {.name = "T_id_index", .help = "Transaction: number of its place in the table.", .get = index},
    {.name = "T_id_label", .help = "Transaction: its label.", .get = label},
    {.name = "T_branches", .help = "Transaction: how many branches it has.", .get = branches},
};

}  // namespace

std::span<const Variable> tm_variables() { return kVariables; }

}  // namespace kahu::tm
