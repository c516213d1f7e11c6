#include "core/modules/debugger/levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "core/base/log_rules.h"
#include "core/base/text.h"
#include "core/modules/debugger/settings.h"
#include "core/proc/settings.h"

namespace kahu::debugger {
namespace {

constexpr int kUnset = INT32_MIN;

struct Row {
    char module[kModuleNameBytes];
    std::atomic<int> level{kUnset};
    std::atomic<int> facility{-1};
};
struct Table {
    std::atomic<uint32_t> rows{0};
    Row row[kMostModules];
};
Table g_private;
Table* g_table = &g_private;

constexpr std::string_view kFacilityNames[] = {"LOG_AUTH",   "LOG_CRON",   "LOG_DAEMON", "LOG_KERN",   "LOG_LOCAL0",
                                               "LOG_LOCAL1", "LOG_LOCAL2", "LOG_LOCAL3", "LOG_LOCAL4", "LOG_LOCAL5",
                                               "LOG_LOCAL6", "LOG_LOCAL7", "LOG_LPR",    "LOG_MAIL",   "LOG_NEWS",
                                               "LOG_SYSLOG", "LOG_USER",   "LOG_UUCP"};

Row* find(std::string_view module) {
    const uint32_t rows = g_table->rows.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < rows; ++i)
        if (module == g_table->row[i].module) return &g_table->row[i];
    return nullptr;
}

Result<Row*> find_or_add(std::string_view module) {
    if (Row* const known = find(module)) return known;
    if (module.empty() || module.size() >= kModuleNameBytes)
        return Error{Errc::invalid, fmt::format("'{}' is no name of a module", text::printable(module, 64)), ""};
    const uint32_t at = g_table->rows.load(std::memory_order_relaxed);
    if (at == kMostModules) return Error{Errc::invalid, fmt::format("{} modules are the most", kMostModules), ""};
    Row& row = g_table->row[at];
    std::memcpy(row.module, module.data(), module.size());
    row.module[module.size()] = '\0';
    g_table->rows.store(at + 1, std::memory_order_release);
    return &row;
}

// Of an event: "tm.not_sent" is tm's, "net.closed" the core's.
const Row* row_of_event(std::string_view module) {
    const Row* const row = find(module);
    return row != nullptr ? row : find("core");
}

log::Level level_of_event(std::string_view module) {
    const Row* const row = settings.mod_level_mode == 0 ? nullptr : row_of_event(module);
    const int level = row == nullptr ? kUnset : row->level.load(std::memory_order_relaxed);
    return level == kUnset ? log::common_level() : static_cast<log::Level>(level);
}
int facility_of_event(std::string_view module) {
    const Row* const row = settings.mod_facility_mode == 0 ? nullptr : row_of_event(module);
    return row == nullptr ? -1 : row->facility.load(std::memory_order_relaxed);
}
log::Level highest() {
    int level = static_cast<int>(log::common_level());
    if (settings.mod_level_mode == 0) return static_cast<log::Level>(level);
    const uint32_t rows = g_table->rows.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < rows; ++i) level = std::max(level, g_table->row[i].level.load(std::memory_order_relaxed));
    return static_cast<log::Level>(level);
}
constexpr log::ModuleRules kRules{highest, level_of_event, facility_of_event};

void construct(void* at, size_t) {
    auto* const shared = ::new (at) Table;
    const uint32_t rows = g_private.rows.load();
    for (uint32_t i = 0; i < rows; ++i) {
        std::memcpy(shared->row[i].module, g_private.row[i].module, kModuleNameBytes);
        shared->row[i].level = g_private.row[i].level.load();
        shared->row[i].facility = g_private.row[i].facility.load();
    }
    shared->rows = rows;
    g_table = shared;
}

}  // namespace

Status set_level(std::string_view module, int level) {
    auto row = find_or_add(module);
    if (!row) return row.error();
    (*row)->level.store(level, std::memory_order_relaxed);
    return {};
}

Status set_facility(std::string_view module, std::string_view facility) {
    const int number = proc::syslog_facility(facility);
    if (number < 0)
        return Error{Errc::not_found, "facility not found", "LOG_DAEMON, LOG_USER, LOG_LOCAL0 ... LOG_LOCAL7"};
    auto row = find_or_add(module);
    if (!row) return row.error();
    (*row)->facility.store(number, std::memory_order_relaxed);
    return {};
}

int level_of(std::string_view module) {
    const Row* const row = find(module);
    const int level = row == nullptr ? kUnset : row->level.load(std::memory_order_relaxed);
    return level == kUnset ? static_cast<int>(log::common_level()) : level;
}

std::string facility_of(std::string_view module) {
    const Row* const row = find(module);
    const int facility = row == nullptr ? -1 : row->facility.load(std::memory_order_relaxed);
    for (const std::string_view name : kFacilityNames)
        if (facility >= 0 && proc::syslog_facility(name) == facility) return std::string(name);
    return {};
}

void use_levels() { log::set_module_rules(&kRules); }

std::span<const mem::Part> level_parts() {
    static const mem::Part part{"debugger_levels", sizeof(Table), construct};
    return {&part, 1};
}

}  // namespace kahu::debugger
