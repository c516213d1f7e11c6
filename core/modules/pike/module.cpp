// core/modules/pike/module.cpp -- read this file to know what pike offers.
#include "core/modules/pike/module.h"

#include <fmt/format.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/modules/pike/counts.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/stats/counters.h"

namespace kahu::pike {
namespace {

using script::Args;
using script::Run;

IntSetting g_sampling_time_unit{2};
IntSetting g_reqs_density{30};
IntSetting g_remove_latency{120};
IntSetting g_pike_log_level{1};

uint16_t g_blocked_id;
const Counter kCounters[] = {
    {"pike", "blocked_ips", CounterKind::counter, "Addresses found to send too much.", &g_blocked_id},
};

log::RateLimit g_log(5);

Limits limits() { return {g_sampling_time_unit, g_reqs_density}; }
int64_t now() { return clock::now_ms() / 1000; }

// Kamailio's: 1 let it through, -2 found just now, -1 found before.
constexpr int kGood = 1, kBlocked = -1, kNewlyBlocked = -2;

int judge(const SocketAddress& source) {
    switch (count(source, limits(), now())) {
    case Judgement::good: return kGood;
    case Judgement::hot: return kBlocked;
    case Judgement::newly_hot: break;
    }
    stats::add(g_blocked_id);
    const auto level = static_cast<log::Level>(g_pike_log_level.get());
    if (log::enabled(level) && g_log.allow())
        log::emit(level, "pike.blocked", {kv("source", source.ip()), kv("suppressed", g_log.suppressed())});
    return kNewlyBlocked;
}

int check_request(Run& run, const Args&) { return judge(run.inbound().source); }
int check_ip(Run& run, const Args& args) {
    const auto address = SocketAddress::parse_ip(args.text(run, 0));
    return address ? judge(*address) : -1;
}

constexpr Function kFunctions[] = {
    {"pike_check_req", 0, 0, "()",
     "Counts the request for its source address. False when that sends too much: -2 when it is found, -1 after that.",
     kAnyRoute, check_request},
    {"pike_check_ip", 1, 1, "(string address)", "The same for the given address.", kAnyRoute, check_ip},
};

// pike.top [HOT|ALL [count [offset]]]
void add_rows(RpcCall& call, bool only_hot) {
    const auto most = call.next_int_or(1000);
    const auto skip = most ? call.next_int_or(0) : std::nullopt;
    if (!skip) return;
    RpcArray rows;
    int64_t seen = 0;
    const int64_t time = now(), latency = g_remove_latency;
    list(limits(), time, time - latency, [&](const Listed& row) {
        if (only_hot && !row.hot) return;
        const int64_t number = seen++;
        if (number < *skip || number - *skip >= *most) return;
        rows.push_back(RpcStruct{{"ip_addr", row.address.ip()},
                                 {"leaf_hits_prev", row.previous},
                                 {"leaf_hits_curr", row.current},
                                 {"expires", static_cast<long long>(row.seen + latency - time)},
                                 {"status", row.hot ? "HOT" : ""}});
    });
    const auto count = rows.size();
    call.add(RpcStruct{{"max_hits", static_cast<long long>(g_reqs_density.get())},
                       {"list", std::move(rows)},
                       {"number_of_rows", count}});
}
void top(RpcCall& call) {
    const auto which = call.next_text_or("HOT");
    if (!which) return;
    if (*which != "HOT" && *which != "ALL" && *which != "WARM")
        return call.fault(400, fmt::format("{} is not HOT, WARM or ALL", text::printable(*which)));
    add_rows(call, *which == "HOT");
}
void list_all(RpcCall& call) { add_rows(call, false); }

constexpr Command kCommands[] = {
    {"pike.top", "[HOT|ALL [count [offset]]]", "Lists the addresses that send too much, or all that sent lately.", top},
    {"pike.list", "[count [offset]]", "Lists the addresses that sent lately.", list_all},
};

std::span<const mem::Part> parts() {
    static const mem::Part part{"pike", counts_bytes(), construct_counts};
    return {&part, 1};
}

const Param kParams[] = {
    {.name = "sampling_time_unit",
     .number = &g_sampling_time_unit,
     .min = 1,
     .max = 3600,
     .unit = "seconds",
     .help = "Time over which requests are counted; also how long an address stays blocked at least.",
     .applies = Applies::at_runtime},
    {.name = "reqs_density_per_unit",
     .number = &g_reqs_density,
     .min = 1,
     .max = 1 << 30,
     .unit = "requests",
     .help = "An address that sends as many in one sampling unit is blocked.",
     .applies = Applies::at_runtime},
    {.name = "remove_latency",
     .number = &g_remove_latency,
     .min = 1,
     .max = 1 << 30,
     .unit = "seconds",
     .help = "How long pike.list shows an address after its last request. Memory is bounded in any case.",
     .applies = Applies::at_runtime},
    {.name = "pike_log_level",
     .number = &g_pike_log_level,
     .min = -5,
     .max = 3,
     .help = "Level of the line that tells of a newly blocked address.",
     .applies = Applies::at_runtime},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "pike",
    .summary = "Flood protection: finds addresses that send too many requests.",
    .params = kParams,
    .functions = kFunctions,
    .commands = kCommands,
    .counters = kCounters,
    .hooks = {.parts = parts},
    .description =
        "Requests are counted for each source address over two sampling units. The table has 65536 rows whatever "
        "happens: a flood from more addresses pushes the oldest ones out.",
};

}  // namespace kahu::pike
