// cnt.* and stats.*: two ways to read the same rows (core/stats/registry.h).
#include <fmt/format.h>

#include "core/stats/registry.h"
#include "rpc/commands.h"

namespace kahu::rpc {
namespace {

// --- cnt.* -----------------------------------------------------------------------------------------

const stats::Row* wanted_row(RpcCall& call) {
    const auto group = call.next_text();
    if (!group) return nullptr;
    const auto name = call.next_text();
    if (!name) return nullptr;
    const stats::Row* row = stats::find_row(*group, *name);
    if (row == nullptr) call.fault(400, fmt::format("non-existent counter {}.{}\n", *group, *name));
    return row;
}

void get_vars(RpcCall& call) {
    const auto group = call.next_text();
    if (!group) return;
    RpcStruct values;
    for (const stats::Row& row : stats::rows_of(*group)) values.emplace_back(row.name, row.value());
    call.add(std::move(values));
}

// Of one counter, or (without its name) of its whole group.
void get(RpcCall& call) {
    if (call.params() == 1) return get_vars(call);
    if (const stats::Row* row = wanted_row(call)) call.add(row->value());
}
void get_raw(RpcCall& call) {
    if (const stats::Row* row = wanted_row(call)) call.add(row->value());
}
void help(RpcCall& call) {
    if (const stats::Row* row = wanted_row(call)) call.add(row->help);
}
void reset(RpcCall& call) {
    if (const stats::Row* row = wanted_row(call)) stats::reset_row(*row);
}
void list_groups(RpcCall& call) {
    for (const std::string_view group : stats::groups()) call.add(group);
}
void list_vars(RpcCall& call) {
    const auto group = call.next_text();
    if (!group) return;
    for (const stats::Row& row : stats::rows_of(*group)) call.add(row.name);
}

constexpr Command kCounters[] = {
    {"cnt.get", "group [counter]",
     "Returns a counter's value, summed over all processes; without its name all of the group.", get},
    {"cnt.get_raw", "group counter", "Returns a counter's value, summed over all processes.", get_raw},
    {"cnt.get_vars", "group", "Returns all counters of a group with their values.", get_vars},
    {"cnt.grp_get_all", "group", "Returns all counters of a group with their values.", get_vars},
    {"cnt.grps_list", "", "Lists the groups of counters.", list_groups},
    {"cnt.list_groups", "", "Lists the groups of counters.", list_groups},
    {"cnt.list_vars", "group", "Lists the counters of a group.", list_vars},
    {"cnt.var_list", "group", "Lists the counters of a group.", list_vars},
    {"cnt.help", "group counter", "Tells what a counter counts.", help},
    {"cnt.reset", "group counter", "Sets a counter to zero.", reset},
};

// --- stats.* ---------------------------------------------------------------------------------------

// "all", "group:", "group:name", "group.name" or "name".
template <class F>
void for_each_match(std::string_view wanted, F&& f) {
    if (wanted == "all") {
        for (const stats::Row& row : stats::all_rows()) f(row);
        return;
    }
    const size_t mark = wanted.find_first_of(":.");
    if (mark == wanted.npos) {
        if (const stats::Row* row = stats::find_row_named(wanted)) f(*row);
    } else if (mark + 1 == wanted.size()) {
        for (const stats::Row& row : stats::rows_of(wanted.substr(0, mark))) f(row);
    } else if (const stats::Row* row = stats::find_row(wanted.substr(0, mark), wanted.substr(mark + 1))) {
        f(*row);
    }
}
// False after answering the fault: at least one name is needed.
template <class F>
bool for_each_wanted(RpcCall& call, const char* complaint, F&& f) {
    if (!call.more()) {
        call.fault(400, complaint);
        return false;
    }
    while (call.more())
        if (const auto wanted = call.next_text()) for_each_match(*wanted, f);
    return true;
}
constexpr const char* kRetrieve = "Please provide which stats to retrieve";
constexpr const char* kReset = "Please provide stats name";

std::string line_of(const stats::Row& row) { return fmt::format("{}:{} = {}", row.group, row.name, row.value()); }

void get_statistics(RpcCall& call) {
    for_each_wanted(call, kRetrieve, [&](const stats::Row& row) { call.add(line_of(row)); });
}
void fetch(RpcCall& call, bool numbers) {
    RpcStruct values;
    const auto add = [&](const stats::Row& row) {
        values.emplace_back(
            fmt::format("{}.{}", row.group, row.name),
            numbers ? RpcValue(static_cast<long long>(row.value())) : RpcValue(std::to_string(row.value())));
    };
    if (for_each_wanted(call, kRetrieve, add)) call.add(std::move(values));
}
void fetch_text(RpcCall& call) { fetch(call, false); }
void fetch_numbers(RpcCall& call) { fetch(call, true); }
void reset_statistics(RpcCall& call) {
    for_each_wanted(call, kReset, [](const stats::Row& row) { stats::reset_row(row); });
}
void clear_statistics(RpcCall& call) {
    for_each_wanted(call, kReset, [&](const stats::Row& row) {
        call.add(line_of(row));
        stats::reset_row(row);
    });
}

constexpr Command kStatistics[] = {
    {"stats.get_statistics", "all|group:|name ...", "Returns statistics as lines \"group:name = value\".",
     get_statistics},
    {"stats.fetch", "all|group:|name ...", "Returns statistics as a structure of texts.", fetch_text},
    {"stats.fetchn", "all|group:|name ...", "Returns statistics as a structure of numbers.", fetch_numbers},
    {"stats.reset_statistics", "all|group:|name ...", "Sets statistics to zero.", reset_statistics},
    {"stats.clear_statistics", "all|group:|name ...", "Returns statistics and sets them to zero.", clear_statistics},
};

}  // namespace

std::span<const Command> counter_commands() { return kCounters; }
std::span<const Command> statistics_commands() { return kStatistics; }

}  // namespace kahu::rpc
