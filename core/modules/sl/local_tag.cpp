#include "core/modules/sl/local_tag.h"

#include "core/script/reply.h"
#include "core/script/run.h"
#include "core/script/transaction_layer.h"
#include "core/script/variable.h"

namespace kahu::sl {
namespace {

using script::Run;
using script::Value;

Status prepare(script::VariableUse& use) {
    if (use.inner == "s" || use.inner == "t" || use.inner == "x") return {};
    return Error{
        Errc::invalid, "$ltt(" + use.inner + ") is no tag",
        "$ltt(s): of stateless replies, $ltt(t): of the transaction, $ltt(x): of the transaction if there is one"};
}

// Whatever tag the message has: inside of a dialog it is not the one that replies have.
Value local_tag(Run& run, const script::VariableUse& use) {
    const char which = use.inner.front();
    const auto of_transaction = script::transaction_layer().local_tag;
    const Value tag = which == 's' || of_transaction == nullptr ? Value::none() : of_transaction(run);
    if (which == 't' || !tag.is_null()) return tag;
    char bytes[script::kStatelessTagBytes];
    return Value::of(run.arena().copy(script::stateless_tag(run.message(), bytes)));
}

constexpr Variable kVariables[] = {
    {"ltt",
     "To-tag of the replies of this server: s stateless, t of the transaction, x of the transaction if there is one.",
     local_tag, nullptr, prepare},
};

}  // namespace

std::span<const Variable> local_tag_variables() { return kVariables; }

}  // namespace kahu::sl
