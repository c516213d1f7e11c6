#include "core/modules/tm/counters.h"

#include "core/modules/tm/transaction.h"
#include "core/stats/registry.h"

namespace kahu::tm {

Counters counters;

namespace {
// clang-format off
const Counter kCounters[] = {
    {"tmx", "UAS_transactions", CounterKind::counter, "Transactions made for received requests.", &counters.transactions_uas},
    {"tmx", "UAC_transactions", CounterKind::counter, "Transactions made for local requests.", &counters.transactions_uac},
    {"tmx", "active_transactions", CounterKind::gauge, "Transactions that exist now.", &counters.active},
    {"tmx", "created_transactions", CounterKind::counter, "Transactions made.", &counters.created},
    {"tmx", "freed_transactions", CounterKind::counter, "Transactions ended.", &counters.freed},
    {"tmx", "rpl_received", CounterKind::counter, "Replies that belonged to a transaction.", &counters.replies_received},
    {"tmx", "rpl_relayed", CounterKind::counter, "Replies passed upstream.", &counters.replies_relayed},
    {"tmx", "rpl_generated", CounterKind::counter, "Replies made here.", &counters.replies_local},
    {"tmx", "2xx_transactions", CounterKind::counter, "Transactions that ended with 2xx.", &counters.completed_2xx},
    {"tmx", "3xx_transactions", CounterKind::counter, "Transactions that ended with 3xx.", &counters.completed_3xx},
    {"tmx", "4xx_transactions", CounterKind::counter, "Transactions that ended with 4xx.", &counters.completed_4xx},
    {"tmx", "5xx_transactions", CounterKind::counter, "Transactions that ended with 5xx.", &counters.completed_5xx},
    {"tmx", "6xx_transactions", CounterKind::counter, "Transactions that ended with 6xx.", &counters.completed_6xx},
    {"tmx", "rpl_absorbed", CounterKind::counter, "Retransmitted requests and replies that ended here.", &counters.absorbed},
    {"tmx", "retransmitted", CounterKind::counter, "Requests and replies sent again.", &counters.retransmitted},
    {"tmx", "loops", CounterKind::counter, "Requests that came back unchanged (RFC 5393), answered 482.", &counters.loops},
    {"tmx", "resumed_decisions", CounterKind::counter, "Decisions taken over from a process that died.", &counters.lost_decisions},
};
// clang-format on

// Kamailio's names for what the rows above hold already.
constexpr stats::Computed kComputed[] = {
    {"tmx", "inuse_transactions", "Transactions that exist now.", [] { return stats::sum(counters.active); }},
    {"tmx", "rpl_sent", "Replies passed upstream or made here.",
     [] { return stats::sum(counters.replies_relayed) + stats::sum(counters.replies_local); }},
};
}  // namespace

std::span<const Counter> tm_counters() { return kCounters; }
void register_computed_counters() { stats::register_computed(kComputed); }

void count_created(const Transaction& t) {
    stats::add(counters.created);
    stats::add(counters.active);
    stats::add(t.local ? counters.transactions_uac : counters.transactions_uas);
}
void count_ended(const Transaction&) {
    stats::add(counters.freed);
    stats::add(counters.active, -1);
}
void count_completed(int status) {
    const uint16_t ids[] = {counters.completed_2xx, counters.completed_3xx, counters.completed_4xx,
                            counters.completed_5xx, counters.completed_6xx};
    if (status >= 200 && status <= 699) stats::add(ids[status / 100 - 2]);
}

}  // namespace kahu::tm
