// Lists of $xavp() copied, removed, and made of $var() and back.
#include <algorithm>
#include <string>
#include <vector>

#include "core/modules/pv/list_functions.h"
#include "core/script/core_variables.h"
#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::pv {
namespace {

using script::Args;
using script::Run;
using script::Value;
using script::XavpPath;
using script::Xavps;
using List = Xavps::List;

XavpPath path_to(std::string_view name, std::optional<int64_t> index) {
    XavpPath path;
    path.steps[0].name = name;
    path.steps[0].index = index;
    path.count = 1;
    return path;
}

// What is below one list, added below another.  `last_id` is the highest in use.  False: there are too many.
bool copy_below(Xavps& xavps, uint32_t from, uint32_t to, uint32_t& last_id) {
    std::vector<Xavps::Entry> below;
    for (const Xavps::Entry& entry : xavps.all())
        if (entry.parent == from) below.push_back(entry);
    for (const Xavps::Entry& entry : below) {
        if (xavps.all().size() >= Xavps::kMost) return false;
        Xavps::Entry copy = entry;
        copy.id = ++last_id;
        copy.parent = to;
        xavps.restore(copy);
        if (copy.is_list && !copy_below(xavps, entry.id, copy.id, last_id)) return false;
    }
    return true;
}
uint32_t highest_id(const Xavps& xavps) {
    uint32_t highest = 0;
    for (const Xavps::Entry& entry : xavps.all()) highest = std::max(highest, entry.id);
    return highest;
}
void remove_below(Run& run, uint32_t list_id, const XavpPath& list_path) {
    std::vector<std::string_view> names;
    for (const Xavps::Entry& entry : run.xavps.all())
        if (entry.parent == list_id) names.push_back(entry.name);
    for (const std::string_view name : names) {
        XavpPath path = list_path;
        path.steps[1].name = name;
        path.steps[1].all = true;
        path.count = 2;
        (void)run.xavps.set(List::several, path, Value::none(), run.arena());
    }
}

// xavp_copy(from, index, to[, index]): on top of what is there, or in its place.
int copy(Run& run, const Args& args) {
    const std::string_view to = args.text(run, 2);
    const Xavps::Entry* const found = run.xavps.find(List::several, path_to(args.text(run, 0), args.number(run, 1)));
    if (found == nullptr || to.empty()) return -1;
    const Xavps::Entry from = *found;
    const XavpPath place = path_to(to, args.integer(run, 3));
    const Xavps::Entry* const old = args.size() > 3 ? run.xavps.find(List::several, place) : nullptr;
    if (args.size() > 3 && old == nullptr) return -1;
    if (!from.is_list) return run.xavps.set(List::several, place, from.value, run.arena()) ? 1 : -1;
    if (old != nullptr && (!old->is_list || old->id == from.id)) return old->id == from.id ? 1 : -1;
    uint32_t last_id = highest_id(run.xavps), target = 0;
    if (old != nullptr) {
        target = old->id;
        remove_below(run, target, place);
    } else {
        if (run.xavps.all().size() >= Xavps::kMost) return -1;
        target = ++last_id;
        run.xavps.restore({List::several, true, target, 0, run.arena().copy(to), Value::none()});
    }
    return copy_below(run.xavps, from.id, target, last_id) ? 1 : -1;
}

// The newest of that name; true also if there is none, as in Kamailio.
template <List list>
int remove_newest(Run& run, const Args& args) {
    (void)run.xavps.set(list, path_to(args.text(run, 0), std::nullopt), Value::none(), run.arena());
    return 1;
}

// --- $var() --------------------------------------------------------------------------------------------------------
// ("name", list) or ("*", list)
int variables_to_list(Run& run, const Args& args) {
    const std::string_view wanted = args.text(run, 0), to = args.text(run, 1);
    if (wanted.empty() || to.empty()) return -1;
    bool first = true, kept = true;
    script::visit_script_variables([&](std::string_view name, const Value& value) {
        if (wanted != "*" && wanted != name) return;
        XavpPath path = path_to(to, first ? std::nullopt : std::optional<int64_t>(0));
        path.steps[1].name = name;
        path.count = 2;
        kept = kept && run.xavps.set(List::several, path, value, run.arena());
        first = false;
    });
    return first || !kept ? -1 : 1;
}
// Each $var() that the script uses and the list has.
int list_to_variables(Run& run, const Args& args) {
    const Xavps::Entry* const list = run.xavps.find(List::several, path_to(args.text(run, 0), 0));
    if (list == nullptr || !list->is_list) return -1;
    const uint32_t id = list->id;
    for (const Xavps::Entry& entry : run.xavps.all())
        if (entry.parent == id && !entry.is_list) script::assign_script_variable(entry.name, entry.value);
    return 1;
}

constexpr Function kFunctions[] = {
    {"xavp_copy", 3, 4, "(string list, int index, string to[, int index])",
     "Copies $xavp(list[index]) on top of $xavp(to), or into the place of the one that has the index.", kAnyRoute,
     copy},
    {"xavp_rm", 1, 1, "(string list)", "Removes the newest $xavp() of that name.", kAnyRoute,
     remove_newest<List::several>},
    {"xavi_rm", 1, 1, "(string list)", "Removes the newest $xavi() of that name.", kAnyRoute,
     remove_newest<List::any_case>},
    {"pv_var_to_xavp", 2, 2, "(string name, string list)",
     "Makes a list in $xavp() of the $var() of that name, or with * of all.", kAnyRoute, variables_to_list},
    {"pv_xavp_to_var", 1, 1, "(string list)", "The reverse, for each $var() that the script uses.", kAnyRoute,
     list_to_variables},
};

}  // namespace

std::span<const Function> list_copy_functions() { return kFunctions; }

}  // namespace kahu::pv
