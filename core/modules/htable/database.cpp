#include "core/modules/htable/database.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/db/database.h"

namespace kahu::htable {
namespace {

using script::Value;

constexpr int64_t kArrayKey = 1, kNumberValue = 1;  // key_type, value_type

TextSetting g_url, g_key{"key_name"}, g_key_type{"key_type"}, g_value_type{"value_type"}, g_value{"key_value"},
    g_expires{"expires"}, g_size_suffix{"::size"};
IntSetting g_with_expires{0}, g_unused{100};

constexpr Param column(std::string_view name, TextSetting& setting, std::string_view help) {
    return {.name = name, .kind = ParamKind::text, .text = &setting, .help = help};
}
const Param kParams[] = {
    {.name = "db_url",
     .kind = ParamKind::text,
     .text = &g_url,
     .help = "Where tables with dbtable= are read from: sqlite:///path/to/file."},
    column("key_name_column", g_key, "Column of the key."),
    column("key_type_column", g_key_type, "Column of the kind of key: 0 one value, 1 an element of an array."),
    column("value_type_column", g_value_type, "Column of the kind of value: 0 text, 1 number."),
    column("key_value_column", g_value, "Column of the value."),
    column("expires_column", g_expires,
           "Column of the time (Unix seconds) when the item ends, 0 never; see db_expires."),
    column("array_size_suffix", g_size_suffix,
           "An array a becomes items a[0], a[1], ... and, under the name with this behind it, their number."),
    {.name = "db_expires",
     .kind = ParamKind::boolean,
     .number = &g_with_expires,
     .help = "Whether the time when an item ends is read and written, too."},
    {.name = "fetch_rows",
     .number = &g_unused,
     .min = 1,
     .max = 1'000'000,
     .help = "Kamailio: rows fetched at a time.",
     .remark = "has no effect: rows are read one by one"},
};

struct Row {
    std::string key, text;
    bool is_number = false;
    int64_t number = 0;
    int64_t seconds = 0;  // 0: as the table is configured
};

std::string columns_of(const Config& config) {
    if (config.columns.empty()) {
        std::string list =
            fmt::format("{}, {}, {}, {}", g_key.get(), g_key_type.get(), g_value_type.get(), g_value.get());
        return g_with_expires != 0 ? list + ", " + g_expires.get() : list;
    }
    std::string list;
    for (const std::string& name : config.columns) list += (list.empty() ? "" : ", ") + name;
    return list;
}

// Kamailio's own layout; false: the item has ended already.
bool take_row(const db::Statement& from, std::map<std::string, int64_t>& arrays, Row& row) {
    row.key = from.text(0);
    if (from.integer(1) == kArrayKey) row.key += fmt::format("[{}]", arrays[row.key]++);
    row.is_number = from.integer(2) == kNumberValue;
    if (row.is_number) row.number = text::to_int(from.text(3)).value_or(0);
    else row.text = from.text(3);
    if (g_with_expires == 0) return true;
    const int64_t ends = from.integer(4), now = clock::unix_seconds();
    row.seconds = ends <= 0 ? 0 : ends - now;
    return ends <= 0 || ends > now;
}

// cols='key,value' keeps the value's type; more columns become one text.
void take_columns(const db::Statement& from, const Config& config, Row& row) {
    row.key = from.text(0);
    row.is_number = config.columns.size() == 2 && !from.is_null(1) && from.is_number(1);
    if (row.is_number) {
        row.number = from.integer(1);
        return;
    }
    for (size_t i = 1; i < config.columns.size(); ++i) {
        if (i > 1) row.text += config.column_separator;
        row.text +=
            from.is_null(static_cast<int>(i)) ? std::string_view(config.column_null) : from.text(static_cast<int>(i));
    }
}

Result<std::vector<Row>> rows_of(const Config& config) {
    auto opened = db::open(g_url.get());
    if (!opened) return std::move(opened).error();
    auto select = (*opened)->prepare(fmt::format("SELECT {} FROM {}", columns_of(config), config.database_table));
    if (!select) return std::move(select).error();
    std::vector<Row> rows;
    std::map<std::string, int64_t> arrays;
    for (;;) {
        const Result<bool> more = (*select)->step();
        if (!more) return more.error();
        if (!*more) break;
        Row row;
        if (!config.columns.empty()) take_columns(**select, config, row);
        else if (!take_row(**select, arrays, row)) continue;
        rows.push_back(std::move(row));
    }
    for (const auto& [name, size] : arrays) rows.push_back({name + g_size_suffix.get(), {}, true, size, 0});
    return rows;
}

}  // namespace

std::span<const Param> database_params() { return kParams; }
std::string_view database_url() { return g_url.get(); }

bool wants_database() {
    for (const Table& table : tables())
        if (!table.config().database_table.empty()) return true;
    return false;
}

Status check_database() {
    for (const Table& table : tables()) {
        const Config& config = table.config();
        if (config.database_table.empty()) continue;
        if (g_url.empty())
            return Error{Errc::invalid, fmt::format("table {} has dbtable, and there is no db_url", config.name),
                         "modparam(\"htable\", \"db_url\", \"sqlite:///var/lib/kahu/kahu.db\")"};
        if (Status good = db::check_url(g_url.get()); !good)
            return std::move(good).error().context("modparam htable db_url");
        std::vector<std::string> names = config.columns;
        names.push_back(config.database_table);
        for (const TextSetting* setting : {&g_key, &g_key_type, &g_value_type, &g_value, &g_expires})
            names.push_back(setting->get());
        for (const std::string& name : names)
            if (!db::is_name(name))
                return Error{
                    Errc::invalid,
                    fmt::format("table {}: '{}' is no name of a table or column", config.name, text::printable(name)),
                    "letters, digits and _"};
        if (config.write_back && !config.columns.empty())
            return Error{Errc::unsupported, fmt::format("table {}: dbmode=1 with cols is not supported", config.name),
                         "leave one of them out"};
    }
    return {};
}

Status read_table(Table& table) {
    auto rows = rows_of(table.config());
    if (!rows) return std::move(rows).error().context(fmt::format("table {}", table.config().name));
    std::map<std::string_view, const Row*> wanted;
    for (const Row& row : *rows) wanted[row.key] = &row;
    table.filter([&](const Copy& item, uint32_t) { return wanted.contains(item.key); });
    for (const auto& [key, row] : wanted) {
        const Value value = row->is_number ? Value::of(row->number) : Value::of(row->text);
        const bool stored =
            row->seconds > 0 ? table.set(key, value, Table::Expiry::given, row->seconds) : table.set(key, value);
        if (!stored)
            return Error{Errc::no_memory,
                         fmt::format("table {}: item '{}' was not stored: too long, or the segment is full",
                                     table.config().name, text::printable(key, 80)),
                         "start with a larger -m"};
    }
    return {};
}

Status write_table(Table& table) {
    std::vector<Copy> items;
    table.filter([&](const Copy& item, uint32_t) {
        items.push_back(item);
        return true;
    });
    auto opened = db::open(g_url.get());
    if (!opened) return std::move(opened).error();
    auto transaction = db::Transaction::begin(**opened);
    if (!transaction) return std::move(transaction).error();
    const std::string& into = table.config().database_table;
    if (Status emptied = (*opened)->execute("DELETE FROM " + into); !emptied) return emptied;
    auto insert = (*opened)->prepare(fmt::format("INSERT INTO {} ({}) VALUES (?1, 0, ?2, ?3{})", into,
                                                 columns_of(table.config()), g_with_expires != 0 ? ", ?4" : ""));
    if (!insert) return std::move(insert).error();
    for (const Copy& item : items) {
        (*insert)->reset();
        (*insert)->bind(1, std::string_view(item.key));
        (*insert)->bind(2, int64_t{item.is_text ? 0 : kNumberValue});
        (*insert)->bind(3, item.is_text ? std::string_view(item.text) : std::string_view(std::to_string(item.number)));
        if (g_with_expires != 0)
            (*insert)->bind(4, item.seconds_left < 0 ? int64_t{0} : clock::unix_seconds() + item.seconds_left);
        if (Status written = (*insert)->run(); !written) return written;
    }
    return transaction->commit();
}

}  // namespace kahu::htable
