#include <fmt/format.h>

#include <vector>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/modules/htable/locks.h"
#include "core/modules/htable/script.h"
#include "core/modules/htable/table.h"
#include "core/script/function.h"
#include "core/script/regex.h"
#include "core/script/run.h"

namespace kahu::htable {
namespace {

using script::Args;
using script::Run;
using script::truth;

// First argument: a table, known at start if it is constant.
Status prepare_table(Args& args) {
    const script::Value* const given = args.constant(0);
    if (given == nullptr) return {};
    const std::string name(text::trim(given->text.substr(0, given->text.find("=>"))));
    Table* const table = find_table(name);
    if (table == nullptr)
        return Error{Errc::not_found, fmt::format("there is no table '{}'", text::printable(name)),
                     fmt::format("modparam(\"htable\", \"htable\", \"{}=>size=8;\")", text::printable(name))};
    args.keep(table);
    return {};
}
Table* table_of(Run& run, const Args& args) {
    if (Table* const* const known = args.prepared<Table*>()) return *known;
    const std::string_view given = args.text(run, 0);
    return find_table(text::trim(given.substr(0, given.find("=>"))));
}

// How a key or a value is compared: eq, ne, sw (starts with), re, rw ("~%...", the words of Kamailio).
using Matches = bool (*)(std::string_view text, std::string_view wanted);
Matches comparison(std::string_view op) {
    if (op == "eq") return [](std::string_view a, std::string_view b) { return a == b; };
    if (op == "ne") return [](std::string_view a, std::string_view b) { return a != b; };
    if (op == "sw") return [](std::string_view a, std::string_view b) { return a.starts_with(b); };
    if (op == "ew") return [](std::string_view a, std::string_view b) { return a.ends_with(b); };
    if (op == "in") return [](std::string_view a, std::string_view b) { return a.find(b) != a.npos; };
    if (op == "re" || op == "rw")
        return [](std::string_view a, std::string_view b) {
            const auto regex = script::cached_regex(b);
            return regex != nullptr && regex->matches(a);
        };
    return nullptr;
}

enum class Of : uint8_t { key, value };
bool item_matches(const Copy& item, Of what, Matches matches, std::string_view wanted) {
    if (what == Of::key) return matches(item.key, wanted);
    return item.is_text && matches(item.text, wanted);
}

int remove_where(Table* table, Of what, Matches matches, std::string_view wanted) {
    if (table == nullptr || matches == nullptr) return -1;
    table->filter([&](const Copy& item, uint32_t) { return !item_matches(item, what, matches, wanted); });
    return 1;
}

// ("table=>regex")
template <Of what>
int remove_by_regex(Run& run, const Args& args) {
    const std::string_view given = args.text(run, 0);
    const size_t arrow = given.find("=>");
    if (arrow == given.npos) return -1;
    return remove_where(table_of(run, args), what, comparison("re"), given.substr(arrow + 2));
}
// ("table", "op", "text")
template <Of what>
int remove_by(Run& run, const Args& args) {
    return remove_where(table_of(run, args), what, comparison(args.text(run, 1)), args.text(run, 2));
}
template <Of what>
int has(Run& run, const Args& args) {
    Table* const table = table_of(run, args);
    const Matches matches = comparison(args.text(run, 1));
    if (table == nullptr || matches == nullptr) return -1;
    const std::string_view wanted = args.text(run, 2);
    bool found = false;
    table->filter([&](const Copy& item, uint32_t) {
        found = found || item_matches(item, what, matches, wanted);
        return true;
    });
    return truth(found);
}

int remove(Run& run, const Args& args) {
    Table* const table = table_of(run, args);
    return truth(table != nullptr && table->remove(args.text(run, 1)));
}
int reset(Run& run, const Args& args) {
    Table* const table = table_of(run, args);
    if (table != nullptr) table->clear();
    return truth(table != nullptr);
}
template <bool as_text>
int set_expiring(Run& run, const Args& args) {
    Table* const table = table_of(run, args);
    if (table == nullptr) return -1;
    const auto value = as_text ? script::Value::of(args.text(run, 2)) : script::Value::of(args.number(run, 2));
    return truth(table->set(args.text(run, 1), value, Table::Expiry::given, args.number(run, 3)));
}

// ("table=>key")
Status prepare_lock(Args& args) {
    use_script_locks();
    const script::Value* const given = args.constant(0);
    if (given != nullptr && given->text.find("=>") == given->text.npos)
        return Error{Errc::invalid, fmt::format("'{}' names no table and key", text::printable(given->text)),
                     "sht_lock(\"table=>key\")"};
    return prepare_table(args);
}
template <bool (*change)(mem::RobustMutex&)>
int change_lock(Run& run, const Args& args) {
    Table* const table = table_of(run, args);
    const std::string_view given = args.text(run, 0);
    const size_t arrow = given.find("=>");
    return truth(table != nullptr && arrow != given.npos && change(table->script_lock(given.substr(arrow + 2))));
}

int print(Run&, const Args&) {
    std::vector<Copy> items;
    for (Table& table : tables())
        for (uint32_t bucket = 0; bucket < table.buckets(); ++bucket) {
            items.clear();
            table.copy_bucket(bucket, items);
            for (const Copy& item : items)
                LOG(error, "htable.item", kv("table", table.config().name), kv("bucket", bucket), kv("key", item.key),
                    kv(item.is_text ? "text" : "number", item.is_text ? item.text : std::to_string(item.number)),
                    kv("seconds_left", item.seconds_left));
        }
    return 1;
}

constexpr std::string_view kWhere = "(string table, string op, string text)";

constexpr Function kFunctions[] = {
    {"sht_rm", 2, 2, "(string table, string key)", "Removes an item; false if there is none.", kAnyRoute, remove,
     prepare_table},
    {"sht_reset", 1, 1, "(string table)", "Removes all items.", kAnyRoute, reset, prepare_table},
    {"sht_rm_name_re", 1, 1, "(string table=>regex)", "Removes the items whose key matches.", kAnyRoute,
     remove_by_regex<Of::key>, prepare_table},
    {"sht_rm_value_re", 1, 1, "(string table=>regex)", "Removes the items whose text matches.", kAnyRoute,
     remove_by_regex<Of::value>, prepare_table},
    {"sht_rm_name", 3, 3, kWhere, "Removes the items whose key compares: eq, ne, sw, ew, in, re.", kAnyRoute,
     remove_by<Of::key>, prepare_table},
    {"sht_rm_value", 3, 3, kWhere, "Removes the items whose text compares.", kAnyRoute, remove_by<Of::value>,
     prepare_table},
    {"sht_has_name", 3, 3, kWhere, "True if a key compares: eq, ne, sw, ew, in, re.", kAnyRoute, has<Of::key>,
     prepare_table},
    {"sht_match_name", 3, 3, kWhere, "The same as sht_has_name().", kAnyRoute, has<Of::key>, prepare_table},
    {"sht_has_str_value", 3, 3, kWhere, "True if a text compares.", kAnyRoute, has<Of::value>, prepare_table},
    {"sht_match_str_value", 3, 3, kWhere, "The same as sht_has_str_value().", kAnyRoute, has<Of::value>, prepare_table},
    {"sht_setxs", 4, 4, "(string table, string key, string value, int seconds)",
     "Stores a text that ends after that many seconds.", kAnyRoute, set_expiring<true>, prepare_table},
    {"sht_setxi", 4, 4, "(string table, string key, int value, int seconds)",
     "Stores a number that ends after that many seconds.", kAnyRoute, set_expiring<false>, prepare_table},
    {"sht_lock", 1, 1, "(string table=>key)",
     "From here to sht_unlock(), or to the end of the script, no other process changes that item (nor those of its "
     "64th of the table). False if another one did not give way within two seconds, or eight are held.",
     kAnyRoute, change_lock<take>, prepare_lock},
    {"sht_unlock", 1, 1, "(string table=>key)", "As often as sht_lock() was called; false if this process has no lock.",
     kAnyRoute, change_lock<release>, prepare_lock},
    {"sht_print", 0, 0, "()", "Writes all items of all tables to the log, at level error.", kAnyRoute, print},
};

}  // namespace

std::span<const Function> functions() {
    static const std::vector<Function> all = [] {
        std::vector<Function> rows(std::begin(kFunctions), std::end(kFunctions));
        rows.insert(rows.end(), iterator_functions().begin(), iterator_functions().end());
        return rows;
    }();
    return all;
}

}  // namespace kahu::htable
