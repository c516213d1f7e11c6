#include "core/modules/tm/variables.h"

#include <iterator>
#include <string>
#include <utility>

#include "core/modules/tm/conclude.h"
#include "core/modules/tm/current.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/table.h"
#include "core/script/branch_text.h"
#include "core/script/value.h"
#include "core/script/variable.h"
#include "core/sip/status.h"

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
    return t == nullptr ? Value::none() : question(*t);
}
template <class F>
Value ask_number(Run& run, F&& question) {
    return ask(run, [&](const Transaction& t) { return Value::of(static_cast<int64_t>(question(t))); });
}

bool is_failure(const Run& run) { return run.kind() == kFailureRoute || current(run).branch_failure; }

Value branch_index(Run& run, const VariableUse&) {
    const int branch = current(run).branch;
    return branch < 0 ? Value::none() : Value::of(int64_t{branch});
}
Value reply_code(Run& run, const VariableUse&) {
    if (!run.is_request()) return Value::of(int64_t{run.message().status()});
    if (is_failure(run)) return Value::of(int64_t{current(run).failure_status});
    return ask_number(run, [](const Transaction& t) { return t.status; });
}
Value reply_last(Run& run, const VariableUse&) {
    return ask_number(run, [](const Transaction& t) { return t.status; });
}
// 0: it was received, 1: it was made here.
Value reply_type(Run& run, const VariableUse&) {
    return Value::of(int64_t{run.is_request() && (!is_failure(run) || current(run).failure_local)});
}
Value reply_reason(Run& run, const VariableUse&) {
    if (!run.is_request()) return Value::of(run.message().reason());
    const Current& c = current(run);
    if (!is_failure(run)) return Value::none();
    const auto own = Value::of(sip::reason_phrase(c.failure_status));
    if (c.failure_local) return own;
    return ask(run, [&](const Transaction& t) {
        sip::Message reply;
        sip::Bad bad;
        const Branch* const b = c.branch >= 0 && c.branch < t.branches ? t.branch[c.branch] : nullptr;
        if (b == nullptr || b->reply == nullptr || !reply.parse(b->reply->text(), bad)) return own;
        return Value::of(run.arena().copy(reply.reason()));
    });
}

// What is known of the branch that the route is about.
script::Branch branch_of(Run& run) {
    const int branch = current(run).branch;
    std::string_view packed;
    (void)ask(run, [&](const Transaction& t) {
        if (branch >= 0 && branch < t.branches) packed = run.arena().copy(text_of(t.branch[branch]->target));
        return Value::none();
    });
    return packed.empty() ? script::Branch{} : script::unpack(packed);
}
Value reply_ruid(Run& run, const VariableUse&) {
    const std::string_view ruid = branch_of(run).ruid;
    return ruid.empty() ? Value::none() : Value::of(ruid);
}
Value branch_flags(Run& run, const VariableUse&) {
    return current(run).branch < 0 ? Value::none() : Value::of(int64_t{branch_of(run).flags});
}
Value branch_uri(Run& run, const VariableUse&) {
    const int branch = current(run).branch;
    return ask(run, [&](const Transaction& t) {
        if (branch < 0 || branch >= t.branches) return Value::none();
        return Value::of(run.arena().copy(text_of(t.branch[branch]->uri)));
    });
}

Value index(Run& run, const VariableUse&) {
    return ask_number(run, [](const Transaction& t) { return t.id.shard; });
}
Value label(Run& run, const VariableUse&) {
    return ask_number(run, [](const Transaction& t) { return t.id.label; });
}
Value branches(Run& run, const VariableUse&) {
    return ask_number(run, [](const Transaction& t) { return t.branches; });
}

// --- $T(name), $T_branch(name): the same by names -----------------------------------------------------------
using Get = Value (*)(Run&, const VariableUse&);
struct Named {
    std::string_view name;
    Get get;
};
constexpr Named kOfTransaction[] = {
    {"id_index", index},
    {"id_label", label},
    {"reply_code", reply_code},
    {"reply_type", reply_type},
    {"reply_last", reply_last},
    {"reply_reason", reply_reason},
    {"branch_index", branch_index},
    {"ruid", reply_ruid},
    {"branches", branches},
};
constexpr Named kOfBranch[] = {{"flags", branch_flags}, {"uri", branch_uri}, {"ruid", reply_ruid}};

template <const auto& kNames>
Status prepare_named(VariableUse& use) {
    std::string known;
    for (const Named& each : kNames) {
        if (each.name == use.inner) {
            use.number = &each - std::begin(kNames);
            return {};
        }
        known.append(known.empty() ? "" : ", ").append(each.name);
    }
    return Error{Errc::invalid, "unknown name \"" + use.inner + "\"", known};
}
template <const auto& kNames>
Value get_named(Run& run, const VariableUse& use) {
    return kNames[static_cast<size_t>(use.number)].get(run, use);
}

const Variable kVariables[] = {
    {.name = "T_branch_idx", .help = "Number of the branch, in branch, reply and failure routes.", .get = branch_index},
    {.name = "T_reply_code",
     .help = "Status of the reply the route runs for, or of the last one sent.",
     .get = reply_code},
    {.name = "T_reply_reason", .help = "Reason phrase of the reply the route runs for.", .get = reply_reason},
    {.name = "T_reply_last", .help = "Status of the last reply sent.", .get = reply_last},
    {.name = "T_reply_ruid", .help = "Record of usrloc that the branch was made of.", .get = reply_ruid},
    {.name = "T_branch",
     .help = "Of the branch that the route is about: flags, uri or ruid.",
     .get = get_named<kOfBranch>,
     .prepare = prepare_named<kOfBranch>},
    {.name = "T",
     .help = "Of the transaction: id_index, id_label, reply_code, reply_type (1: made here), reply_last, reply_reason, "
             "branch_index, branches or ruid.",
     .get = get_named<kOfTransaction>,
     .prepare = prepare_named<kOfTransaction>},
    {.name = "T_id_index", .help = "Transaction: number of its place in the table.", .get = index},
    {.name = "T_id_label", .help = "Transaction: its label.", .get = label},
    {.name = "T_branches", .help = "Transaction: how many branches it has.", .get = branches},
};

}  // namespace

Value local_tag(Run& run) {
    return ask(run, [&](const Transaction& t) {
        char tag[kTagBytes];
        return Value::of(run.arena().copy(to_tag_of(t, tag)));
    });
}

std::span<const Variable> tm_variables() { return kVariables; }

}  // namespace kahu::tm
