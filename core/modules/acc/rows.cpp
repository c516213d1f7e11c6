#include "core/modules/acc/rows.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/db/database.h"
#include "core/stats/counters.h"
#include "mem/mpsc_queue.h"

namespace kahu::acc {
namespace {

constexpr size_t kRowBytes = 2000;   // of all fields; what is longer is cut
constexpr size_t kFixedColumns = 6;  // of all rows, besides the time
constexpr size_t kBatch = 2000;      // rows written in one go: between two, signals are seen

struct Row : mem::QueueNode {
    int64_t time = 0;
    Table table = Table::acc;
    uint16_t bytes = 0;
    uint64_t nulls = 0;      // bit i: the i-th column behind those that all rows have is NULL; not of the 65th
    char fields[kRowBytes];  // each ends with a zero
};
bool may_be_null(size_t column) { return column < 64; }
struct alignas(64) Area {
    mem::MpscQueue<Row> queue{mem::Tag::other};
    // About: a death may count one row too many, or one twice.  Signed, so that below zero is no large number.
    std::atomic<int32_t> waiting{0};
};
Area* g_area = nullptr;
uint16_t g_written, g_dropped;
const Counter kCounters[] = {
    {"acc", "rows_written", CounterKind::counter, "Accounting rows written to the database.", &g_written},
    {"acc", "rows_dropped", CounterKind::counter, "Accounting rows lost: too many waited, or no memory.", &g_dropped},
};

void add_field(Row& row, std::string_view value) {
    const size_t room = kRowBytes - row.bytes;
    if (room == 0) return;
    const size_t taken = std::min(value.size(), room - 1);
    for (size_t i = 0; i < taken; ++i) row.fields[row.bytes + i] = value[i] == '\0' ? '_' : value[i];
    row.fields[row.bytes + taken] = '\0';
    row.bytes = static_cast<uint16_t>(row.bytes + taken + 1);
}

void say_dropped(std::string_view why) {
    stats::add(g_dropped);
    static int64_t last = 0;
    if (const int64_t now = clock::unix_seconds(); now != last) {
        last = now;
        LOG(error, "acc.row_dropped", kv("why", why), kv("hint", "see acc.rows_dropped; is the database writable?"));
    }
}

// --- timer process ---------------------------------------------------------------------------------------------
struct Writer {
    std::unique_ptr<db::Connection> connection;
    std::array<std::unique_ptr<db::Statement>, 2> inserts;
};
Writer g_writer;

const std::string& name_of(Table table) {
    return (table == Table::acc ? settings.db_table_acc : settings.db_table_missed_calls).get();
}

// Of db_extra and of a leg.
std::vector<std::string_view> more_columns() {
    std::vector<std::string_view> names;
    for (const Extra& extra : db_extras()) names.push_back(extra.name);
    if (!legs().empty())
        for (const Extra& field : legs().front()) names.push_back(field.name);
    return names;
}

Status open_writer() {
    if (g_writer.connection != nullptr) return {};
    auto opened = db::open(settings.db_url.get());
    if (!opened) return opened.error();
    g_writer.connection = std::move(*opened);
    for (const Table table : {Table::acc, Table::missed_calls}) {
        std::string columns, values;
        size_t number = 8;
        for (const std::string_view column : more_columns()) {
            columns.append(", ").append(column);
            values += fmt::format(", ?{}", number++);
        }
        auto prepared = g_writer.connection->prepare(
            fmt::format("INSERT INTO {} ({}, {}, {}, {}, {}, {}, {}{}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7{})",
                        name_of(table), settings.time_column.get(), settings.method_column.get(),
                        settings.from_tag_column.get(), settings.to_tag_column.get(), settings.callid_column.get(),
                        settings.code_column.get(), settings.reason_column.get(), columns, values));
        if (!prepared) return prepared.error();
        g_writer.inserts[static_cast<size_t>(table)] = std::move(*prepared);
    }
    return {};
}

Status insert(const Row& row) {
    if (Status open = open_writer(); !open) return open;
    db::Statement& into = *g_writer.inserts[static_cast<size_t>(row.table)];
    into.reset();
    into.bind(1, clock::local_text(row.time));
    std::string_view rest(row.fields, row.bytes);
    const size_t columns = kFixedColumns + db_extras().size() + (legs().empty() ? 0 : legs().front().size());
    for (size_t i = 0; i < columns; ++i) {
        const std::string_view value = rest.substr(0, rest.find('\0'));
        const bool null =
            i >= kFixedColumns && may_be_null(i - kFixedColumns) && (row.nulls >> (i - kFixedColumns) & 1);
        if (null) into.bind_null(static_cast<int>(i + 2));
        else into.bind(static_cast<int>(i + 2), value);
        rest.remove_prefix(std::min(rest.size(), value.size() + 1));
    }
    return into.run();
}

void queue_row(script::Run& run, const Record& record, Table table, std::span<const Extra> leg) {
    if (g_area->waiting.load(std::memory_order_relaxed) >= kMaxWaiting) return say_dropped("too many rows wait");
    Row* row = mem::make<Row>(mem::Tag::other);
    if (row == nullptr) return say_dropped("out of shared memory");
    row->time = clock::unix_seconds();
    row->table = table;
    for (const std::string_view field :
         {record.method, record.from_tag, record.to_tag, record.call_id, std::string_view(record.code), record.reason})
        add_field(*row, field);
    size_t number = 0;
    const auto add = [&](const Extra& extra, bool nullable) {
        if (nullable && may_be_null(number) && extra.value->value(run).is_null()) row->nulls |= uint64_t{1} << number;
        ++number;
        add_field(*row, text_of(extra, run));
    };
    for (const Extra& extra : db_extras()) add(extra, settings.acc_extra_nullable != 0);
    for (const Extra& field : leg) add(field, true);
    g_area->waiting.fetch_add(1, std::memory_order_relaxed);
    g_area->queue.push(row);
}

}  // namespace

void write_row(script::Run& run, const Record& record, Table table) {
    const size_t legs_there = count_legs(run);
    if (legs_there == 0) queue_row(run, record, table, {});
    for (size_t leg = 0; leg < legs_there; ++leg) queue_row(run, record, table, legs()[leg]);
}

std::span<const mem::Part> row_parts() {
    static const mem::Part part{"acc", sizeof(Area), [](void* at, size_t) { g_area = ::new (at) Area; }};
    return settings.db_flag < 0 && settings.db_missed_flag < 0 ? std::span<const mem::Part>()
                                                               : std::span<const mem::Part>(&part, 1);
}

Status make_tables() {
    if (g_area == nullptr) return {};
    auto connection = db::open(settings.db_url.get());
    if (!connection) return std::move(connection).error().context("acc db_url");
    for (const Table table : {Table::acc, Table::missed_calls}) {
        if ((*connection)->has_table(name_of(table))) continue;
        LOG(notice, "acc.table_created", kv("table", name_of(table)), kv("database", settings.db_url.get()));
        std::string extras;
        for (const std::string_view column : more_columns())
            extras += fmt::format(", {} VARCHAR(255) DEFAULT ''", column);
        const Status made = (*connection)
                                ->execute(fmt::format("CREATE TABLE {0} (id INTEGER PRIMARY KEY NOT NULL, {2} "
                                                      "VARCHAR(16) DEFAULT '' NOT NULL, {3} VARCHAR(128) "
                                                      "DEFAULT '' NOT NULL, {4} VARCHAR(128) DEFAULT '' NOT NULL, {5} "
                                                      "VARCHAR(255) DEFAULT '' NOT NULL, {6} "
                                                      "VARCHAR(3) DEFAULT '' NOT NULL, {7} VARCHAR(128) DEFAULT '' NOT "
                                                      "NULL, {8} TIMESTAMP NOT NULL{1}); CREATE "
                                                      "INDEX {0}_callid_idx ON {0} ({5})",
                                                      name_of(table), extras, settings.method_column.get(),
                                                      settings.from_tag_column.get(), settings.to_tag_column.get(),
                                                      settings.callid_column.get(), settings.code_column.get(),
                                                      settings.reason_column.get(), settings.time_column.get()));
        if (!made) return made;
    }
    return {};
}

void save_rows() {
    if (g_area == nullptr || g_area->queue.empty()) return;
    static int64_t last_complaint = 0;
    g_area->queue.consume(
        [](const Row& row) {
            if (const Status written = insert(row); !written) {
                if (const int64_t now = clock::unix_seconds(); now > last_complaint + 10) {
                    last_complaint = now;
                    LOG(error, "acc.write_failed", kv("waiting", g_area->waiting.load()),
                        kv("error", written.error().text()));
                }
                g_writer = {};  // begins anew
                return false;
            }
            g_area->waiting.fetch_sub(1, std::memory_order_relaxed);
            stats::add(g_written);
            return true;
        },
        kBatch);
}

std::span<const Counter> row_counters() { return kCounters; }

}  // namespace kahu::acc
