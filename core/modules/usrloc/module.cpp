// core/modules/usrloc/module.cpp -- read this file to know what usrloc offers.
#include "core/modules/usrloc/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <vector>

#include "core/base/log.h"
#include "core/db/database.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/commands.h"
#include "core/modules/usrloc/keepalive.h"
#include "core/modules/usrloc/settings.h"
#include "core/modules/usrloc/store.h"
#include "core/modules/usrloc/sweep.h"
#include "core/net/event_loop.h"
#include "core/net/listener.h"
#include "core/script/params.h"
#include "core/script/transaction_layer.h"
#include "core/stats/registry.h"

namespace kahu::usrloc {
namespace {

std::vector<std::string> g_tables;

// Buckets are 8 bytes; lists of one or two contacts are what makes a lookup fast.
constexpr int64_t kLeastHashSize = 16;
uint32_t wanted_buckets() { return uint32_t{1} << std::max(settings.hash_size.get(), kLeastHashSize); }
void construct(void* at, size_t) { construct_table(at, wanted_buckets()); }

Status check() {
    if (Status good = keepalive::check(); !good) return good;
    if (settings.mode() == DbMode::none) return {};
    if (Status good = db::check_url(settings.db_url.get()); !good) return std::move(good).error().context("db_url");
    return {};
}

std::vector<WantedFile> files() {
    return settings.mode() == DbMode::none ? std::vector<WantedFile>() : db::files_of(settings.db_url.get());
}
Status open() { return settings.mode() == DbMode::none ? Status{} : db::make_folder(settings.db_url.get()); }

std::span<const mem::Part> parts() {
    static std::vector<mem::Part> wanted;
    wanted = {{"usrloc", table_bytes(wanted_buckets()), construct}};
    return wanted;
}

// --- loading -----------------------------------------------------------------------------------------------
bool is_skipped(const Fields& fields) {
    if (settings.skip_remote_socket != 0 && fields.socket == net::kAnyListener) return true;
    return settings.db_clean_tcp != 0 && fields.socket < net::listeners().size() &&
           is_stream(net::listeners()[fields.socket].transport);
}

Status load_table(uint8_t table) {
    size_t loaded = 0;
    Status done = store::load(table, [&](const Fields& fields) {
        if (fields[Text::aor].empty() || fields[Text::ruid].empty() || is_skipped(fields)) return true;
        if (fields.too_long() != Text::count_) {
            LOG(warn, "usrloc.row_too_long", kv("ruid", fields[Text::ruid]));
            return true;
        }
        Aor record(table, fields[Text::aor]);
        const Aor::Change change{nullptr, &fields};
        ++loaded;
        return record.load(change);
    });
    if (done) LOG(notice, "usrloc.loaded", kv("table", g_tables[table]), kv("contacts", loaded));
    return done;
}

Status load_all() {
    Status done = store::prepare_tables();
    for (uint8_t table = 0; done && table < g_tables.size(); ++table) {
        done = store::remove_expired(table);
        if (done && settings.db_load != 0) done = load_table(table);
    }
    store::close();
    return done;
}

// --- counters: per table, as computed figures ----------------------------------------------------------------
template <uint8_t Table>
constexpr stats::Computed kComputed[] = {
    {"usrloc", "", "Addresses of record in this table.", [] { return totals(Table).users; }},
    {"usrloc", "", "Contacts in this table.", [] { return totals(Table).contacts; }},
    {"usrloc", "", "Contacts of this table that have expired since start.", [] { return totals(Table).expired; }},
};
template <uint8_t... Table>
void name_counters(std::integer_sequence<uint8_t, Table...>) {
    static std::list<std::string> names;  // stay where they are
    static std::vector<stats::Computed> rows;
    constexpr std::string_view kSuffixes[] = {"users", "contacts", "expires"};
    rows.clear();
    const std::span<const stats::Computed> all[] = {kComputed<Table>...};
    for (size_t table = 0; table < g_tables.size(); ++table)
        for (size_t i = 0; i < std::size(kSuffixes); ++i) {
            rows.push_back(all[table][i]);
            rows.back().name = names.emplace_back(g_tables[table] + script::params::stats_name_separator.get() +
                                                  std::string(kSuffixes[i]));
        }
    rows.push_back({"usrloc", "registered_users", "Addresses of record in all tables.", [] {
                        int64_t users = 0;
                        for (size_t table = 0; table < g_tables.size(); ++table)
                            users += totals(static_cast<uint8_t>(table)).users;
                        return users;
                    }});
    stats::register_computed(rows);
}

Status start() {
    if (g_tables.empty())
        if (const auto opened = open_table("location"); !opened) return opened.error();
    net::add_periodic(ProcessKind::timer, kSweepTickMs, sweep_slice);
    if (settings.ka_mode != 0) script::set_reply_taker(keepalive::take_answer);
    name_counters(std::make_integer_sequence<uint8_t, kMostTables>());
    if (settings.mode() == DbMode::none) return {};
    return load_all();
}

// --- periodic work -------------------------------------------------------------------------------------------
void each_second(ProcessKind kind) {
    if (kind != ProcessKind::timer) return;
    static int64_t seconds = 0;
    if (settings.db_timer_clean == 0 || settings.mode() == DbMode::none || ++seconds % settings.timer_interval != 0)
        return;
    for (uint8_t table = 0; table < g_tables.size(); ++table)
        if (Status done = store::remove_expired(table); !done)
            LOG(error, "usrloc.clean_failed", kv("table", g_tables[table]), kv("reason", done.error().text()));
}

void process_stop(ProcessKind kind) {
    if (kind == ProcessKind::timer && settings.mode() != DbMode::none) (void)sweep_all();
    store::close();
}

}  // namespace

Result<uint8_t> open_table(std::string_view name) {
    if (const auto found = find_table(name)) return *found;
    if (!db::is_name(name))
        return Error{Errc::invalid, fmt::format("\"{}\" is no name of a location table", name),
                     "letters, digits and \"_\" only"};
    if (g_tables.size() == kMostTables)
        return Error{Errc::invalid, fmt::format("more than {} location tables are named", kMostTables), ""};
    g_tables.emplace_back(name);
    return static_cast<uint8_t>(g_tables.size() - 1);
}
std::span<const std::string> table_names() { return g_tables; }
std::optional<uint8_t> find_table(std::string_view name) {
    const auto at = std::find(g_tables.begin(), g_tables.end(), name);
    if (at == g_tables.end()) return std::nullopt;
    return static_cast<uint8_t>(at - g_tables.begin());
}

bool use_domain() { return settings.use_domain != 0; }
Matching matching_mode() { return static_cast<Matching>(settings.matching_mode.get()); }
int64_t cseq_delay() { return settings.cseq_delay; }
bool newest_first() { return settings.desc_time_order != 0; }
uint32_t server_id() { return static_cast<uint32_t>(script::params::server_id.get()); }

const ModuleDescriptor kModule{
    .name = "usrloc",
    .summary = "Who is registered where.",
    .params = params(),
    .commands = commands(),
    .hooks = {.check = check,
              .files = files,
              .open = open,
              .parts = parts,
              .start = start,
              .each_second = each_second,
              .process_stop = process_stop},
    .description =
        "Keeps the contacts that module registrar saves, in memory shared by all processes; a worker's death loses "
        "none.\n\n"
        "With db_mode 1, 2 or 3 they are also kept in a database and survive a restart. In mode 1 and 3 the process "
        "that "
        "handles a REGISTER writes it before it answers and waits for the disk; in mode 2 the timer process writes "
        "what changed, once per timer_interval and at the end. The table is created if it does not exist; its columns "
        "are Kamailio's.",
};

}  // namespace kahu::usrloc
