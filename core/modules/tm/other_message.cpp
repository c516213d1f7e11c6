// $T_req(), $T_rpl(), $T_inv(): variables of another message of the transaction than the one that the script works on.
#include <string>

#include "core/modules/tm/match.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/table.h"
#include "core/modules/tm/variables.h"
#include "core/script/expression.h"
#include "core/script/variable.h"

namespace kahu::tm {
namespace {

using script::Run;
using script::Value;
using script::VariableUse;

Status prepare(VariableUse& use) {
    if (use.inner_format != nullptr) return {};
    return Error{Errc::invalid, "a variable is missing between the parentheses", "$" + use.name + "($fu)"};
}

// The inner variable, of the other message; the text is the outer run's.
Value of_other(Run& run, Run& other, const VariableUse& use) {
    Value value = use.inner_format->value(other);
    if (value.text.data() != nullptr) value.text = run.arena().copy(value.text);
    return value;
}

// A request of the transaction, as its script left it.
Value of_request(Run& run, Id id, const VariableUse& use) {
    static Revived revived;
    static bool busy = false;  // $T_req($T_req($fu)) has no meaning
    {
        const Locked shard(id);
        const Transaction* const t = id ? shard.find(id.label) : nullptr;
        if (t == nullptr || busy) return Value::none();
        revived.take(*t);
    }
    if (!revived.begin(id, kRequestRoute)) return Value::none();
    busy = true;
    const Value value = of_other(run, revived.run, use);
    busy = false;
    return value;
}

Value of_request_of_transaction(Run& run, const VariableUse& use) { return of_request(run, current(run).id, use); }

// $T_inv(): in the request_route of a CANCEL, the request that it cancels.
Value of_invite(Run& run, const VariableUse& use) {
    RequestKey key;
    Id id;
    if (run.message().method() != sip::Method::cancel || !read_key(run.message(), key)) return Value::none();
    {
        const Locked shard(key.shard());
        if (const Transaction* const t = find_target(shard, key)) id = t->id;
    }
    return id ? of_request(run, id, use) : Value::none();
}

// $T_rpl(): in failure routes, the reply that they run for.
Value of_reply(Run& run, const VariableUse& use) {
    static Run other;
    static std::string text;
    static sip::Message reply;
    if (!run.is_request()) return of_other(run, run, use);
    const Current& c = current(run);
    if (!c.id || c.branch < 0) return Value::none();
    {
        const Locked shard(c.id);
        const Transaction* const t = shard.find(c.id.label);
        if (t == nullptr || c.branch >= t->branches) return Value::none();
        text = text_of(t->branch[c.branch]->reply);
    }
    sip::Bad bad;
    if (text.empty() || !reply.parse(text, bad)) return Value::none();
    other.begin(reply, run.inbound(), kReplyRoute);
    other.program = run.program;
    return of_other(run, other, use);
}

const Variable kVariables[] = {
    {.name = "T_req",
     .help = "The variable between the parentheses, of the request of the transaction: for reply and failure routes.",
     .get = of_request_of_transaction,
     .prepare = prepare},
    {.name = "T_rpl",
     .help = "The variable between the parentheses, of the reply that a failure route runs for.",
     .get = of_reply,
     .prepare = prepare},
    {.name = "T_inv",
     .help = "The variable between the parentheses, of the request that a CANCEL cancels.",
     .get = of_invite,
     .prepare = prepare},
};

}  // namespace

std::span<const Variable> tmx_variables() { return kVariables; }

}  // namespace kahu::tm
