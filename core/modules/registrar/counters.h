// core/modules/registrar/counters.h -- what the registrar counts.
#pragma once
#include <span>

#include "core/stats/counter.h"

namespace kahu::registrar {
void count_accepted();
void count_rejected();
std::span<const Counter> counters();
void register_computed_counters();  // max_expires, max_contacts, default_expire: settings, shown as Kamailio shows them
}  // namespace kahu::registrar
