#include "core/modules/tm/timer.h"

#include <vector>

#include "core/modules/tm/client.h"
#include "core/modules/tm/conclude.h"
#include "core/modules/tm/originate.h"
#include "core/modules/tm/routes.h"
#include "core/modules/tm/server.h"
#include "core/modules/tm/table.h"
#include "core/proc/process_table.h"

namespace kahu::tm {
namespace {

// max_inv_lifetime, max_noninv_lifetime: whatever still waits is given up.
void end_of_life(Transaction& t, clock::Millis now) {
    t.max_age_at = 0;
    t.resolving = 0;
    t.waiting_breadth = 0;
    t.resolve_by = 0;
    if (t.answered) return;
    for (int i = 0; i < t.branches; ++i) {
        Branch& b = *t.branch[i];
        if (!is_pending(t, b)) continue;
        b.cancel_wanted = t.is_invite();
        b.outcome = 408;
        b.local_outcome = b.gave_up = true;
        b.give_up_at = now + 1;
        cancel_branch(t, b, {});
    }
    if (t.branches == 0) (void)add_failed_branch(t, t.piece(t.uri), 408);
}

// The worker that asked the name server is gone, or the name server is silent.
void give_up_lookups(Transaction& t) {
    t.resolve_by = 0;
    t.resolving = 0;
    t.waiting_breadth = 0;
    if (!t.answered && t.branches == 0) (void)add_failed_branch(t, t.piece(t.uri), 408);
}

After fire(Transaction& t, clock::Millis now) {
    on_server_timers(t, now);
    for (int i = 0; i < t.branches; ++i) on_client_timers(t, *t.branch[i], now);
    if (t.resolve_by != 0 && t.resolve_by <= now) give_up_lookups(t);
    if (t.max_age_at != 0 && t.max_age_at <= now) end_of_life(t, now);
    return conclude(t);
}

// Changes with every death, and is another number for the timer process's successor.
uint64_t lives() {
    uint64_t sum = 0;
    for (int slot = 0; slot < proc::process_count(); ++slot)
        sum += proc::process(slot).incarnation.load(std::memory_order_relaxed);
    return sum;
}

// What is left to do without the lock.
struct Due {
    std::vector<Id> to_run, to_send;
};

void look_at(uint32_t number, clock::Millis now, Due& due) {
    Locked shard(number);
    forget_due(number);
    for (Transaction* t = shard.first(); t != nullptr;) {
        Transaction* const next = t->next;
        const Id id = t->id;
        if (fire(*t, now) == After::run_failure_route) due.to_run.push_back(id);
        if (take_unsent(*t)) due.to_send.push_back(id);
        (void)shard.settle(t);
        t = next;
    }
}

}  // namespace

uint64_t count_unanswered() {
    uint64_t count = 0;
    for (uint32_t number = 0; number < kShards; ++number) {
        const Locked shard(number);
        for (const Transaction* t = shard.first(); t != nullptr; t = t->next)
            count += !t->answered && !t->over() ? 1 : 0;
    }
    return count;
}

void run_timers(clock::Millis now) {
    static Due due;
    static uint64_t lives_seen = 0;
    if (const uint64_t now_living = lives(); now_living != lives_seen) {
        lives_seen = now_living;
        note_all_due();
    }
    for (uint32_t shard = 0; shard < kShards; ++shard) {
        if (shard_due(shard) > now) continue;
        due.to_run.clear();
        due.to_send.clear();
        look_at(shard, now, due);
        for (const Id id : due.to_run) run_failure_route(id);
        for (const Id id : due.to_send) send_originated(id);
    }
}

}  // namespace kahu::tm
