// core/modules/tm/counters.h -- what tm counts: tm.stats and the group "tmx" of stats.get_statistics.
#pragma once
#include <span>

#include "core/stats/counter.h"
#include "core/stats/counters.h"

namespace kahu::tm {

struct Transaction;

struct Counters {
    uint16_t transactions_uas, transactions_uac, active, freed, created, replies_received, replies_relayed,
        replies_local, completed_2xx, completed_3xx, completed_4xx, completed_5xx, completed_6xx, absorbed,
        retransmitted, loops, lost_decisions;
};
extern Counters counters;
std::span<const Counter> tm_counters();
void register_computed_counters();

void count_created(const Transaction& t);
void count_ended(const Transaction& t);
void count_completed(int status);

}  // namespace kahu::tm
