#include "core/modules/tm/by_call.h"

#include <string>
#include <vector>

#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/match.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/table.h"

namespace kahu::tm {
namespace {

bool is_call(const Transaction& t, std::string_view call_id, uint32_t cseq) {
    return t.cseq == cseq && t.piece(t.call_id) == call_id;
}

// A flag for the routes that will run for it.
void set_flag(Transaction& t, int flag) {
    static Revived revived;
    if (t.context == nullptr) return;  // no route will
    revived.take(t);
    if (!revived.begin(t.id, kFailureRoute)) return;
    revived.run.flags |= 1U << flag;
    std::string saved;
    revived.run.save(saved);
    (void)replace_block(t.shared, saved);
}

}  // namespace

bool cancel_call(std::string_view call_id, uint32_t cseq, std::string_view reason, int flag) {
    std::vector<Id> found;
    {
        Locked shard(shard_of(hash_of_call(call_id, cseq)));
        for (Transaction* t = shard.first(); t != nullptr; t = t->next) {
            if (!t->is_invite() || !is_call(*t, call_id, cseq)) continue;
            t->cancelled = true;
            if (flag >= 0 && flag < 32) set_flag(*t, flag);
            cancel_pending(*t, nullptr, reason);
            found.push_back(t->id);
        }
    }
    for (const Id id : found) finish(id);
    return !found.empty();
}

Id find_call(std::string_view call_id, uint32_t cseq) {
    const Locked shard(shard_of(hash_of_call(call_id, cseq)));
    for (const Transaction* t = shard.first(); t != nullptr; t = t->next)
        if (!t->local && t->method != sip::Method::cancel && is_call(*t, call_id, cseq)) return t->id;
    return {};
}

bool answer_from_outside(Id id, const LocalAnswer& what) {
    Locked shard(id);
    Transaction* t = shard.find(id.label);
    if (t == nullptr || !answer_locally(*t, what)) return false;
    if (what.status >= 200) cancel_pending(*t, nullptr, {});
    (void)conclude(*t);
    (void)shard.settle(t);
    return true;
}

void remove_ended() {
    for (uint32_t number = 0; number < kShards; ++number) {
        Locked shard(number);
        for (Transaction* t = shard.first(); t != nullptr;) {
            Transaction* const next = t->next;
            if (t->decider == 0 && t->answered && t->due() == kNever) shard.remove(t);
            t = next;
        }
    }
}

}  // namespace kahu::tm
