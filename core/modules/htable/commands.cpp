// htable.*: names, order and texts as Kamailio 5.6.3 answers them.
#include "core/base/clock.h"
#include "core/modules/htable/database.h"
#include "core/modules/htable/script.h"
#include "core/modules/htable/table.h"

namespace kahu::htable {
namespace {

using script::Value;

Table* wanted_table(RpcCall& call, size_t params, const char* missing) {
    if (call.params() < params) {
        call.fault(500, missing);
        return nullptr;
    }
    const auto name = call.next_text();
    if (!name) return nullptr;
    Table* const table = find_table(*name);
    if (table == nullptr) call.fault(500, "No such htable");
    return table;
}

RpcValue rpc_value(const Copy& item) {
    return item.is_text ? RpcValue(item.text) : RpcValue(static_cast<long long>(item.number));
}

constexpr int kTextFlag = 2;  // as Kamailio shows it

void get(RpcCall& call) {
    Table* const table = wanted_table(call, 2, "Not enough parameters (htable name and key name)");
    if (table == nullptr) return;
    const auto key = call.next_text();
    Copy item;
    if (!key) return;
    if (!table->get(*key, item)) return call.fault(500, "Key name doesn't exist in htable.");
    RpcStruct fields{{"name", item.key}, {"value", rpc_value(item)}, {"flags", item.is_text ? kTextFlag : 0}};
    fields.emplace_back("expire",
                        item.seconds_left < 0 ? "NEVER" : clock::local_text(clock::unix_seconds() + item.seconds_left));
    call.add(RpcStruct{{"item", std::move(fields)}});
}

bool stored(RpcCall& call, bool yes) {
    if (!yes) call.fault(500, "the item was not stored: too long, or the segment is full");
    return yes;
}

template <bool as_text, bool with_time>
void set(RpcCall& call) {
    Table* const table = wanted_table(call, with_time ? 4 : 3,
                                      with_time ? "Not enough parameters (htable name, key name, value and expire)"
                                                : "Not enough parameters (htable name, key name and value)");
    if (table == nullptr) return;
    const auto key = call.next_text();
    if (!key) return;
    const auto text = as_text ? call.next_text() : std::optional(std::string());
    const auto number = as_text ? std::optional<int64_t>(0) : call.next_int();
    const auto seconds = with_time ? call.next_int() : std::optional<int64_t>(0);
    if (!text || !number || !seconds) return;
    const Value value = as_text ? Value::of(std::string_view(*text)) : Value::of(*number);
    const auto expiry = with_time ? Table::Expiry::given : Table::Expiry::as_configured;
    if (stored(call, table->set(*key, value, expiry, *seconds))) call.add("Ok. Key set to new value.");
}

void set_seconds_left(RpcCall& call) {
    Table* const table = wanted_table(call, 3, "Not enough parameters (htable name, item name and expire)");
    if (table == nullptr) return;
    const auto key = call.next_text();
    const auto seconds = key ? call.next_int() : std::nullopt;
    if (!seconds) return;
    if (!table->set_seconds_left(*key, *seconds)) return call.fault(500, "Key name doesn't exist in htable.");
    call.add("Ok");
}

void remove(RpcCall& call) {
    Table* const table = wanted_table(call, 2, "Not enough parameters (htable name & key name)");
    if (table == nullptr) return;
    const auto key = call.next_text();
    if (!key) return;
    if (!table->remove(*key)) return call.fault(404, "Key not found in htable.");
    call.add("Ok. Key deleted.");
}

// One struct for each bucket that has items: entry, size, slot: [{name, value, type}].
void dump(RpcCall& call) {
    Table* const table = wanted_table(call, 1, "No htable name given");
    if (table == nullptr) return;
    const auto most = call.next_int_or(INT64_MAX);
    const auto skip = most ? call.next_int_or(0) : std::nullopt;
    if (!skip) return;
    uint32_t current = 0;
    int64_t seen = 0;
    RpcArray slot;
    const auto flush = [&] {
        if (slot.empty()) return;
        const size_t size = slot.size();
        call.add(RpcStruct{{"entry", current}, {"size", size}, {"slot", std::move(slot)}});
        slot.clear();
    };
    table->filter([&](const Copy& item, uint32_t bucket) {
        if (bucket != current) flush();
        current = bucket;
        if (seen >= *skip && seen - *skip < *most)
            slot.push_back(
                RpcStruct{{"name", item.key}, {"value", rpc_value(item)}, {"type", item.is_text ? "str" : "int"}});
        ++seen;
        return true;
    });
    flush();
}

void list_tables(RpcCall& call) {
    for (Table& table : tables())
        call.add(RpcStruct{{"name", table.config().name},
                           {"dbtable", ""},
                           {"dbmode", 0},
                           {"expire", static_cast<long long>(table.config().autoexpire)},
                           {"updateexpire", table.config().update_expire ? 1 : 0},
                           {"size", table.buckets()},
                           {"dmqreplicate", 0}});
}

void stats(RpcCall& call) {
    for (Table& table : tables()) {
        std::vector<uint32_t> sizes(table.buckets());
        uint32_t all = 0;
        table.filter([&](const Copy&, uint32_t bucket) {
            ++sizes[bucket];
            ++all;
            return true;
        });
        const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
        call.add(RpcStruct{
            {"name", table.config().name}, {"slots", table.buckets()}, {"all", all}, {"min", *least}, {"max", *most}});
    }
}

void flush(RpcCall& call) {
    Table* const table = wanted_table(call, 1, "No htable name given");
    if (table == nullptr) return;
    table->clear();
    call.add("Ok. Htable flushed.");
}

template <Status (*transfer)(Table&)>
void with_database(RpcCall& call) {
    Table* const table = wanted_table(call, 1, "No htable name given");
    if (table == nullptr) return;
    if (database_url().empty()) return call.fault(500, "No htable db_url");
    if (table->config().database_table.empty()) return call.fault(500, "No database htable: it has no dbtable");
    if (const Status done = transfer(*table); !done) return call.fault(500, done.error().text());
    call.add(transfer == read_table ? "Ok. Htable reloaded." : "Ok. Htable successfully stored to DB.");
}

constexpr Command kCommands[] = {
    {"htable.get", "table key", "Returns one item.", get},
    {"htable.delete", "table key", "Removes one item.", remove},
    {"htable.sets", "table key text", "Stores a text.", set<true, false>},
    {"htable.seti", "table key number", "Stores a number.", set<false, false>},
    {"htable.setxs", "table key text seconds", "Stores a text that ends after that time.", set<true, true>},
    {"htable.setxi", "table key number seconds", "Stores a number that ends after that time.", set<false, true>},
    {"htable.setex", "table key seconds", "Lets an item end after that time; 0: never.", set_seconds_left},
    {"htable.dump", "table [count [offset]]", "Lists the items, by bucket.", dump},
    {"htable.listTables", "", "Lists the tables and how they were configured.", list_tables},
    {"htable.stats", "", "Returns how many items each table has, and in its fullest and emptiest bucket.", stats},
    {"htable.flush", "table", "Removes all items of a table.", flush},
    {"htable.reload", "table", "Reads a table from its database again; what is not there goes.",
     with_database<read_table>},
    {"htable.store", "table", "Writes a table to its database, instead of what that had.", with_database<write_table>},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace kahu::htable
