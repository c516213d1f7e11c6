#include "core/modules/registrar/counters.h"

#include "core/modules/registrar/settings.h"
#include "core/stats/counters.h"
#include "core/stats/registry.h"

namespace kahu::registrar {
namespace {

uint16_t g_accepted, g_rejected;

const Counter kCounters[] = {
    {"registrar", "accepted_regs", CounterKind::counter, "REGISTER requests accepted.", &g_accepted},
    {"registrar", "rejected_regs", CounterKind::counter, "REGISTER requests rejected.", &g_rejected},
};
constexpr stats::Computed kComputed[] = {
    {"registrar", "max_expires", "Value of max_expires.", [] { return settings.max_expires.get(); }},
    {"registrar", "max_contacts", "Value of max_contacts.", [] { return settings.max_contacts.get(); }},
    {"registrar", "default_expire", "Value of default_expires.", [] { return settings.default_expires.get(); }},
    {"registrar", "default_expires_range", "Value of default_expires_range.",
     [] { return settings.default_expires_range.get(); }},
    {"registrar", "expires_range", "Value of expires_range.", [] { return settings.expires_range.get(); }},
};

}  // namespace

void count_accepted() { stats::add(g_accepted); }
void count_rejected() { stats::add(g_rejected); }
std::span<const Counter> counters() { return kCounters; }
void register_computed_counters() { stats::register_computed(kComputed); }

}  // namespace kahu::registrar
