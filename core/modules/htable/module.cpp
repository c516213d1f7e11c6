// core/modules/htable/module.cpp -- read this file to know what htable offers.
#include "core/modules/htable/module.h"

#include <fmt/format.h>

#include <vector>

#include "core/modules/htable/script.h"
#include "core/modules/htable/table.h"

namespace kahu::htable {
namespace {

IntSetting g_timer_interval{20};
IntSetting g_timer_mode{0};
IntSetting g_accepted{0};
TextSetting g_db_url;

Status accept_table(const ParamValue& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text == nullptr) return Error{Errc::invalid, "expected a string", "\"name=>size=8;autoexpire=300;\""};
    auto config = parse_config(*text);
    if (!config) return std::move(config).error();
    if (find_table(config->name) != nullptr)
        return Error{Errc::exists, fmt::format("there are two tables '{}'", config->name), ""};
    tables().emplace_back(std::move(*config));
    return {};
}

size_t all_bytes() {
    size_t bytes = 0;
    for (const Table& table : tables()) bytes += (table.bytes() + 63) & ~size_t{63};
    return bytes;
}
void construct(void* at, size_t) {
    for (Table& table : tables()) {
        table.construct(at);
        at = static_cast<char*>(at) + ((table.bytes() + 63) & ~size_t{63});
    }
}
std::span<const mem::Part> parts() {
    static mem::Part part{"htable", 0, construct};
    part.bytes = all_bytes();
    return tables().empty() ? std::span<const mem::Part>() : std::span<const mem::Part>(&part, 1);
}

// Items that have ended are invisible at once; this gives their memory back.
void each_second(ProcessKind kind) {
    static int64_t seconds = 0;
    if (kind != ProcessKind::timer || ++seconds < g_timer_interval) return;
    seconds = 0;
    for (Table& table : tables()) table.sweep();
}

const Param kParams[] = {
    {.name = "htable",
     .kind = ParamKind::custom,
     .accept = accept_table,
     .help =
         "Makes a table: \"name=>size=8;autoexpire=300;initval=0;updateexpire=1;\". size is the power of two of its "
         "buckets, autoexpire the seconds an item lasts (0: for ever), initval what a missing item reads as, "
         "updateexpire 0 lets a new value keep the old time. Several by repetition.",
     .default_text = "none"},
    {.name = "timer_interval",
     .number = &g_timer_interval,
     .min = 1,
     .max = 86400,
     .unit = "seconds",
     .help = "How often the memory of items that have ended is taken back.",
     .applies = Applies::at_runtime},
    {.name = "timer_mode",
     .number = &g_timer_mode,
     .min = 0,
     .max = 1,
     .help = "Kamailio: a timer process of its own.",
     .remark = "has no effect: the timer process does it"},
    {.name = "enable_dmq",
     .number = &g_accepted,
     .min = 0,
     .max = 0,
     .help = "Kamailio: replication between servers, which does not exist here."},
    {.name = "db_url",
     .kind = ParamKind::text,
     .text = &g_db_url,
     .help = "Kamailio: database that tables are loaded from.",
     .remark = "has no effect: tables are not loaded from a database"},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "htable",
    .summary = "Tables of key and value that all processes share.",
    .params = kParams,
    .functions = functions(),
    .variables = variables(),
    .commands = commands(),
    .hooks = {.parts = parts, .each_second = each_second},
    .description =
        "$sht(table=>key) reads, writes and (with $null) removes an item; whichever process handles the next message "
        "sees it. $shtinc() and $shtdec() count without anybody coming between.\n\n"
        "Tables live in the shared segment: they survive the death of any worker, and end with the server.",
};

}  // namespace kahu::htable
