// core/modules/htable/module.cpp -- read this file to know what htable offers.
#include "core/modules/htable/module.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/log.h"
#include "core/db/database.h"
#include "core/modules/htable/database.h"
#include "core/modules/htable/script.h"
#include "core/modules/htable/table.h"
#include "core/script/event_route.h"

namespace kahu::htable {
namespace {

IntSetting g_timer_interval{20};
IntSetting g_timer_mode{0};
TextSetting g_accepted_text;
IntSetting g_accepted{0};

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

// Those that asked for it hear of each item that has ended.
void tell_expired(Table& table) {
    const std::string route = "htable:expired:" + table.config().name;
    if (!script::has_event_route(route)) return table.sweep();
    std::vector<Copy> ended;
    table.sweep(&ended);
    for (const Copy& item : ended) {
        set_expired_record(&item);
        script::run_event_route(route);
    }
    set_expired_record(nullptr);
}

// Items that have ended are invisible at once; this gives their memory back.
void each_second(ProcessKind kind) {
    static int64_t seconds = 0;
    if (kind != ProcessKind::timer || ++seconds < g_timer_interval) return;
    seconds = 0;
    for (Table& table : tables()) tell_expired(table);
}

Status check() { return check_database(); }
std::vector<WantedFile> files() { return wants_database() ? db::files_of(database_url()) : std::vector<WantedFile>(); }
Status open() { return wants_database() ? db::make_folder(database_url()) : Status{}; }

// event_route[htable:mod-init] fills tables before the first message.
Status start() {
    for (Table& table : tables())
        if (!table.config().database_table.empty())
            if (Status read = read_table(table); !read) return read;
    script::run_event_route("htable:mod-init");
    return {};
}

void process_stop(ProcessKind kind) {
    if (kind != ProcessKind::timer) return;
    for (Table& table : tables())
        if (table.config().write_back && !table.config().database_table.empty())
            if (const Status written = write_table(table); !written)
                LOG(error, "htable.not_stored", kv("table", table.config().name), kv("error", written.error().text()));
}

const Param kParams[] = {
    {.name = "htable",
     .kind = ParamKind::custom,
     .accept = accept_table,
     .help =
         "Makes a table: \"name=>size=8;autoexpire=300;initval=0;updateexpire=1;\". size is the power of two of its "
         "buckets, autoexpire the seconds an item lasts (0: for ever), initval what a missing item reads as, "
         "updateexpire 0 lets a new value keep the old time. dbtable, dbmode, cols, coldelim, colnull: see db_url. "
         "Several by repetition.",
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
    {.name = "timer_procs",
     .number = &g_accepted,
     .min = 0,
     .max = 64,
     .help = "Kamailio: how many processes do that.",
     .remark = "has no effect: the timer process does it"},
    {.name = "event_callback",
     .kind = ParamKind::text,
     .text = &g_accepted_text,
     .help = "Kamailio: a function of an embedded interpreter, called for items that end.",
     .remark = "has no effect: there is no embedded interpreter; event_route[htable:expired:NAME] is called"},
    {.name = "event_callback_mode",
     .number = &g_accepted,
     .min = 0,
     .max = 1,
     .help = "Kamailio: when that is called.",
     .remark = "has no effect: there is no embedded interpreter"},
    {.name = "dmq_init_sync",
     .number = &g_accepted,
     .min = 0,
     .max = 1,
     .help = "Kamailio: whether a server that starts asks others for their items.",
     .remark = "has no effect: there is no replication between servers"},
    {.name = "enable_dmq",
     .number = &g_accepted,
     .min = 0,
     .max = 0,
     .help = "Kamailio: replication between servers, which does not exist here."},
};

std::span<const Param> all_params() {
    static const std::vector<Param> all = [] {
        std::vector<Param> rows(std::begin(kParams), std::end(kParams));
        rows.insert(rows.end(), database_params().begin(), database_params().end());
        return rows;
    }();
    return all;
}

}  // namespace

const ModuleDescriptor kModule{
    .name = "htable",
    .summary = "Tables of key and value that all processes share.",
    .params = all_params(),
    .functions = functions(),
    .variables = variables(),
    .commands = commands(),
    .hooks = {.check = check,
              .files = files,
              .open = open,
              .parts = parts,
              .start = start,
              .each_second = each_second,
              .process_stop = process_stop},
    .description =
        "$sht(table=>key) reads, writes and (with $null) removes an item; whichever process handles the next message "
        "sees it. event_route[htable:mod-init] runs once at start, event_route[htable:expired:TABLE] for each item "
        "that has ended, with "
        "$shtrecord(key) and $shtrecord(value), when its memory is taken back. $shtinc() and $shtdec() count without "
        "anybody coming between.\n\n"
        "Tables live in the shared segment: they survive the death of any worker, and end with the server, unless "
        "dbtable= has them read from a database (Kamailio's table htable, or cols=) and dbmode=1 written there at the "
        "end.",
};

}  // namespace kahu::htable
