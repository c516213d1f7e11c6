#include "core/modules/pv/list_functions.h"

#include <fmt/format.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/script/format.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/script_log.h"
#include "core/script/text_parts.h"

namespace kahu::pv {
namespace {

using script::Args;
using script::Run;
using script::Value;
using script::Xavps;
using List = script::Xavps::List;

int done(const Status& status) {
    if (status) return 1;
    LOG(debug, "pv.unchanged", kv("reason", status.error().text()));
    return -1;
}

// --- one variable ------------------------------------------------------------------------------------------------
template <size_t i>
Status prepare_target(Args& args) {
    return args.require_assignable(i);
}
int unset(Run& run, const Args& args) { return done(args.assign(run, 0, Value::none())); }
// The text's variables were replaced before it came here.
int print_into(Run& run, const Args& args) { return done(args.assign(run, 0, Value::of(args.text(run, 1)))); }

// --- $xavp(root=>name) ---------------------------------------------------------------------------------------------
script::XavpPath path_to(std::string_view root, std::string_view name) {
    script::XavpPath path;
    path.steps[0].name = root;
    path.steps[1].name = name;
    path.count = name.empty() ? 1 : 2;
    return path;
}
// Into the list that is there, or into a new one.
Status set_child(Run& run, List list, std::string_view root, std::string_view name, const Value& value, bool replace) {
    script::XavpPath path = path_to(root, name);
    if (run.xavps.find(list, path_to(root, {})) != nullptr) path.steps[0].index = 0;
    if (replace && run.xavps.find(list, path) != nullptr) path.steps[1].index = 0;
    return run.xavps.set(list, path, value, run.arena());
}
template <List list>
int child_set_number(Run& run, const Args& args) {
    return done(set_child(run, list, args.text(run, 0), args.text(run, 1), Value::of(args.number(run, 2)), true));
}
template <List list>
int child_set_text(Run& run, const Args& args) {
    return done(set_child(run, list, args.text(run, 0), args.text(run, 1), Value::of(args.text(run, 2)), true));
}
template <List list>
int child_remove(Run& run, const Args& args) {
    script::XavpPath path = path_to(args.text(run, 0), args.text(run, 1));
    if (run.xavps.find(list, path) == nullptr) return -1;
    path.steps[1].all = true;
    return done(run.xavps.set(list, path, Value::none(), run.arena()));
}

// "a=1;b=2" becomes a new list: $xavp(root=>a), $xavp(root=>b).
template <List list>
int explode(Run& run, const Args& args) {
    const std::string_view params = args.text(run, 0), root = args.text(run, 1);
    if (root.empty()) return -1;
    bool first = true;
    for (auto [rest, param] = std::pair{params, script::TextParam{}}; script::next_text_param(rest, ';', param);) {
        if (param.name.empty()) continue;
        script::XavpPath path = path_to(root, param.name);
        if (!first) path.steps[0].index = 0;
        if (Status set = run.xavps.set(list, path, Value::of(param.value), run.arena()); !set) return done(set);
        first = false;
    }
    return first ? -1 : 1;
}

// The reverse: "a=1;b=2;", in the order in which they were set.
template <List list>
int implode(Run& run, const Args& args) {
    const Xavps::Entry* const root = run.xavps.find(list, path_to(args.text(run, 0), {}));
    if (root == nullptr || !root->is_list) return -1;
    std::string out;
    for (const Xavps::Entry& entry : run.xavps.all())
        if (entry.parent == root->id && !entry.is_list)
            out.append(entry.name).append("=").append(to_text(entry.value, run.arena())).append(";");
    return done(args.assign(run, 1, Value::of(run.arena().copy(out))));
}

// xavp_slist_explode("a,b,c", ",", "t", "x"): $xavp(x=>v) is a, $xavp(x=>v[1]) is b ...; "t" trims the elements.
int explode_list(Run& run, const Args& args) {
    std::string_view rest = args.text(run, 0);
    const std::string_view separator = args.text(run, 1), mode = args.text(run, 2), root = args.text(run, 3);
    if (rest.empty() || separator.empty() || root.empty()) return -1;
    std::vector<std::string_view> elements;
    while (true) {
        const size_t end = rest.find(separator.front());
        const std::string_view element = rest.substr(0, end);
        elements.push_back(mode == "t" ? text::trim(element) : element);
        if (end == rest.npos) break;
        rest.remove_prefix(end + 1);
    }
    // The newest comes first, so the last element goes in first.
    for (size_t i = elements.size(); i-- > 0;) {
        script::XavpPath path = path_to(root, "v");
        if (i + 1 != elements.size()) path.steps[0].index = 0;
        if (Status set = run.xavps.set(List::several, path, Value::of(elements[i]), run.arena()); !set)
            return done(set);
    }
    return 1;
}

// --- for a person to read --------------------------------------------------------------------------------------------
template <List list>
void print_below(Run& run, uint32_t parent, size_t depth) {
    constexpr size_t kDeepest = script::XavpPath::kMaxDepth;
    for (const Xavps::Entry& entry : run.xavps.all()) {
        if (entry.list != list || entry.parent != parent) continue;
        const std::string value = entry.is_list ? "list"
                                  : entry.value.is_integer()
                                      ? fmt::format("int {}", entry.value.number)
                                      : fmt::format("str \"{}\"", text::printable(entry.value.text));
        script::log_script_line(run, log::Level::info, fmt::format("{:>{}}{}: {}", "", depth * 4, entry.name, value));
        if (entry.is_list && depth < kDeepest) print_below<list>(run, entry.id, depth + 1);
    }
}
template <List list>
int print(Run& run, const Args&) {
    if (log::enabled(log::Level::info)) print_below<list>(run, 0, 0);
    return 1;
}

constexpr std::string_view kChildNumber = "(string list, string name, int value)";
constexpr std::string_view kChildText = "(string list, string name, string value)";
constexpr Function kFunctions[] = {
    {"pv_unset", 1, 1, "(variable)", "Gives the variable the value $null.", kAnyRoute, unset, prepare_target<0>},
    {"pv_printf", 2, 2, "(variable, string text)", "Gives the variable the text, with its variables replaced.",
     kAnyRoute, print_into, prepare_target<0>},
    {"avp_printf", 2, 2, "(variable, string text)", "The same as pv_printf().", kAnyRoute, print_into,
     prepare_target<0>},
    {"pv_xavp_print", 0, 0, "()", "Logs all $xavp().", kAnyRoute, print<List::several>},
    {"pv_xavu_print", 0, 0, "()", "Logs all $xavu().", kAnyRoute, print<List::unique>},
    {"pv_xavi_print", 0, 0, "()", "Logs all $xavi().", kAnyRoute, print<List::any_case>},
    {"xavp_params_explode", 2, 2, "(string params, string list)", "Makes a list in $xavp() of \"a=1;b=2\".", kAnyRoute,
     explode<List::several>},
    {"xavp_params_implode", 2, 2, "(string list, variable)", "The reverse, into the variable.", kAnyRoute,
     implode<List::several>, prepare_target<1>},
    {"xavu_params_explode", 2, 2, "(string params, string list)", "Makes a list in $xavu() of \"a=1;b=2\".", kAnyRoute,
     explode<List::unique>},
    {"xavu_params_implode", 2, 2, "(string list, variable)", "The reverse, into the variable.", kAnyRoute,
     implode<List::unique>, prepare_target<1>},
    {"xavp_slist_explode", 4, 4, "(string text, string separator, string mode, string list)",
     "Splits the text into $xavp(list=>v[0]), [1] ...; mode \"t\" trims the elements.", kAnyRoute, explode_list},
    {"xavp_child_seti", 3, 3, kChildNumber, "Sets $xavp(list=>name) to a number, replacing its value.", kAnyRoute,
     child_set_number<List::several>},
    {"xavp_child_sets", 3, 3, kChildText, "Sets $xavp(list=>name) to a text, replacing its value.", kAnyRoute,
     child_set_text<List::several>},
    {"xavp_child_rm", 2, 2, "(string list, string name)", "Removes $xavp(list=>name).", kAnyRoute,
     child_remove<List::several>},
    {"xavi_child_seti", 3, 3, kChildNumber, "Sets $xavi(list=>name) to a number, replacing its value.", kAnyRoute,
     child_set_number<List::any_case>},
    {"xavi_child_sets", 3, 3, kChildText, "Sets $xavi(list=>name) to a text, replacing its value.", kAnyRoute,
     child_set_text<List::any_case>},
    {"xavi_child_rm", 2, 2, "(string list, string name)", "Removes $xavi(list=>name).", kAnyRoute,
     child_remove<List::any_case>},
};

}  // namespace

std::span<const Function> list_functions() { return kFunctions; }

}  // namespace kahu::pv
