#include "core/stats/registry.h"

#include <algorithm>
#include <tuple>

#include "core/stats/counters.h"
#include "mem/contract.h"

namespace kahu::stats {
namespace {

std::vector<Row> g_rows_by_name;
uint16_t g_next_id = 1;  // cell 0 takes what is counted by rows that were never registered

bool before(const Row& a, const Row& b) { return std::tie(a.group, a.name) < std::tie(b.group, b.name); }

// Where the row is, or where it belongs.
std::vector<Row>::iterator place_of(std::string_view group, std::string_view name) {
    return std::lower_bound(g_rows_by_name.begin(), g_rows_by_name.end(), Row{.group = group, .name = name}, before);
}
bool is_at(std::vector<Row>::iterator at, std::string_view group, std::string_view name) {
    return at != g_rows_by_name.end() && at->group == group && at->name == name;
}

}  // namespace

int64_t Row::value() const { return read != nullptr ? read() : sum(id); }

void register_counters(std::span<const Counter> rows) {
    for (const Counter& counter : rows) {
        auto at = place_of(counter.group, counter.name);
        if (!is_at(at, counter.group, counter.name)) {
            REQUIRE(g_next_id < kMaxCounters);
            at = g_rows_by_name.insert(at, {.group = counter.group,
                                            .name = counter.name,
                                            .help = counter.help,
                                            .kind = counter.kind,
                                            .id = g_next_id++});
        }
        if (counter.id != nullptr) *counter.id = at->id;
    }
}

void register_computed(std::span<const Computed> rows) {
    for (const Computed& computed : rows) {
        const auto at = place_of(computed.group, computed.name);
        if (is_at(at, computed.group, computed.name)) continue;
        g_rows_by_name.insert(at, {.group = computed.group,
                                   .name = computed.name,
                                   .help = computed.help,
                                   .kind = CounterKind::gauge,
                                   .read = computed.read});
    }
}

const std::vector<Row>& all_rows() { return g_rows_by_name; }

const Row* find_row(std::string_view group, std::string_view name) {
    const auto at = place_of(group, name);
    return is_at(at, group, name) ? &*at : nullptr;
}

const Row* find_row_named(std::string_view name) {
    const auto at =
        std::find_if(g_rows_by_name.begin(), g_rows_by_name.end(), [&](const Row& r) { return r.name == name; });
    return at == g_rows_by_name.end() ? nullptr : &*at;
}

std::span<const Row> rows_of(std::string_view group) {
    const auto first = place_of(group, {});
    const auto last = std::find_if(first, g_rows_by_name.end(), [&](const Row& r) { return r.group != group; });
    return {first, last};
}

std::vector<std::string_view> groups() {
    std::vector<std::string_view> names;
    for (const Row& row : g_rows_by_name)
        if (names.empty() || names.back() != row.group) names.push_back(row.group);
    return names;
}

void reset_row(const Row& row) {
    if (row.resettable()) reset(row.id);
}

}  // namespace kahu::stats
