// sht_iterator_*(): a walk over a table, bucket by bucket.  A walk holds a copy of one bucket and no lock: what changes
// meanwhile is seen or not, as it happens.
#include <deque>
#include <vector>

#include "core/base/text.h"
#include "core/modules/htable/script.h"
#include "core/modules/htable/table.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::htable {
namespace {

using script::Args;
using script::Run;
using script::Value;
using script::VariableUse;

constexpr size_t kMostWalks = 16;  // of different names, in one process

struct Walk {
    std::string name;
    Table* table = nullptr;  // nullptr: ended
    uint32_t bucket = 0;
    std::vector<Copy> items;  // of that bucket, the current one last
    bool begun = false;
};
std::deque<Walk>& walks() {
    static std::deque<Walk> all;
    return all;
}
Walk* find_walk(std::string_view name) {
    for (Walk& walk : walks())
        if (walk.name == name && walk.table != nullptr) return &walk;
    return nullptr;
}
Walk* walk_at(Run& run, const Args& args) {
    Walk* const walk = find_walk(args.text(run, 0));
    return walk == nullptr || walk->items.empty() ? nullptr : walk;
}

int begin(Run& run, const Args& args) {
    const std::string_view name = args.text(run, 0);
    Table* const table = find_table(text::trim(args.text(run, 1)));
    if (name.empty() || table == nullptr) return -1;
    Walk* free_walk = find_walk(name);
    for (Walk& walk : walks())
        if (free_walk == nullptr && walk.table == nullptr) free_walk = &walk;
    if (free_walk == nullptr && walks().size() == kMostWalks) return -1;
    if (free_walk == nullptr) free_walk = &walks().emplace_back();
    *free_walk = {std::string(name), table, 0, {}, false};
    return 1;
}

int next(Run& run, const Args& args) {
    Walk* const walk = find_walk(args.text(run, 0));
    if (walk == nullptr) return -1;
    if (!walk->items.empty()) walk->items.pop_back();
    while (walk->items.empty()) {
        if (walk->begun) ++walk->bucket;
        walk->begun = true;
        if (walk->bucket >= walk->table->buckets()) return -1;
        walk->table->copy_bucket(walk->bucket, walk->items);
    }
    return 1;
}

int end(Run& run, const Args& args) {
    Walk* const walk = find_walk(args.text(run, 0));
    if (walk == nullptr) return -1;
    *walk = {};
    return 1;
}

int remove_item(Run& run, const Args& args) {
    Walk* const walk = walk_at(run, args);
    return walk != nullptr && walk->table->remove(walk->items.back().key) ? 1 : -1;
}
template <bool as_text>
int set_item(Run& run, const Args& args) {
    Walk* const walk = walk_at(run, args);
    if (walk == nullptr) return -1;
    const Value value = as_text ? Value::of(args.text(run, 1)) : Value::of(args.number(run, 1));
    return walk->table->set(walk->items.back().key, value) ? 1 : -1;
}
int set_seconds(Run& run, const Args& args) {
    Walk* const walk = walk_at(run, args);
    return walk != nullptr && walk->table->set_seconds_left(walk->items.back().key, args.number(run, 1)) ? 1 : -1;
}

constexpr Function kFunctions[] = {
    {"sht_iterator_start", 2, 2, "(string iterator, string table)",
     "Begins a walk over all items; sht_iterator_next() goes to the first.", kAnyRoute, begin},
    {"sht_iterator_next", 1, 1, "(string iterator)",
     "Goes to the next item: $shtitkey(iterator), $shtitval(iterator). False when there are no more.", kAnyRoute, next},
    {"sht_iterator_end", 1, 1, "(string iterator)", "Ends the walk.", kAnyRoute, end},
    {"sht_iterator_rm", 1, 1, "(string iterator)", "Removes the item that the walk is at.", kAnyRoute, remove_item},
    {"sht_iterator_sets", 2, 2, "(string iterator, string value)", "Gives that item a text.", kAnyRoute,
     set_item<true>},
    {"sht_iterator_seti", 2, 2, "(string iterator, int value)", "Gives that item a number.", kAnyRoute,
     set_item<false>},
    {"sht_iterator_setex", 2, 2, "(string iterator, int seconds)", "Lets that item end after that time.", kAnyRoute,
     set_seconds},
};

const Copy* current(Run& run, const VariableUse& use) {
    const Walk* const walk = find_walk(use.inner_text(run));
    return walk == nullptr || walk->items.empty() ? nullptr : &walk->items.back();
}
Value key(Run& run, const VariableUse& use) {
    const Copy* const item = current(run, use);
    return item == nullptr ? Value::none() : Value::of(run.arena().copy(item->key));
}
Value value(Run& run, const VariableUse& use) {
    const Copy* const item = current(run, use);
    if (item == nullptr) return Value::none();
    return item->is_text ? Value::of(run.arena().copy(item->text)) : Value::of(item->number);
}

// --- event_route[htable:expired:TABLE] ---------------------------------------------------------------------------
const Copy* g_expired = nullptr;

Status prepare_record(VariableUse& use) {
    if (use.inner == "key" || use.inner == "value") return {};
    return Error{Errc::invalid, "$shtrecord has key and value", "$shtrecord(key)"};
}
Value record(Run& run, const VariableUse& use) {
    if (g_expired == nullptr) return Value::none();
    if (use.inner == "key") return Value::of(run.arena().copy(g_expired->key));
    return g_expired->is_text ? Value::of(run.arena().copy(g_expired->text)) : Value::of(g_expired->number);
}

constexpr Variable kVariables[] = {
    {"shtitkey", "$shtitkey(iterator): key of the item that the walk is at.", key},
    {"shtitval", "$shtitval(iterator): its value.", value},
    {"shtrecord", "$shtrecord(key), $shtrecord(value): the item that has ended, in event_route[htable:expired:table].",
     record, nullptr, prepare_record},
};

}  // namespace

std::span<const Function> iterator_functions() { return kFunctions; }
std::span<const Variable> iterator_variables() { return kVariables; }
void set_expired_record(const Copy* item) { g_expired = item; }

}  // namespace kahu::htable
