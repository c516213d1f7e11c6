// core/modules/counters/module.cpp -- read this file to know what counters offers.
#include "core/modules/counters/module.h"

#include <fmt/format.h>

#include <deque>

#include "core/base/text.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/variable.h"
#include "core/stats/counters.h"
#include "core/stats/registry.h"

namespace kahu::counters {
namespace {

using script::Args;
using script::Run;

TextSetting g_group{"script"};

// Declared by modparam; the rows of the registry borrow these texts, and cells keep the number they got.
struct Declared {
    std::string group, name, help;
    uint16_t id = 0;
};
std::deque<Declared> g_declared;

// "name", "group.name", "group.name description"
Status declare(const ParamValue& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text == nullptr || text::trim(*text).empty())
        return Error{Errc::invalid, "expected a counter's name", "as in \"calls.failed what it counts\""};
    std::string_view words = text::trim(*text);
    const std::string_view full = words.substr(0, words.find_first_of(" \t"));
    const std::string_view help = text::trim(words.substr(full.size()));
    const size_t dot = full.find('.');
    Declared& made = g_declared.emplace_back();
    made.group = dot == full.npos ? g_group.get() : std::string(full.substr(0, dot));
    made.name = std::string(dot == full.npos ? full : full.substr(dot + 1));
    made.help = help.empty() ? "Counted by the routing script." : std::string(help);
    if (made.group.empty() || made.name.empty()) {
        g_declared.pop_back();
        return Error{Errc::invalid, fmt::format("\"{}\" has an empty group or name", text::printable(full)), ""};
    }
    const Counter row{made.group, made.name, CounterKind::counter, made.help, &made.id};
    stats::register_counters({&row, 1});
    return {};
}

const Declared* declared(std::string_view full) {
    const size_t dot = full.find('.');
    const std::string_view group = dot == full.npos ? std::string_view(g_group.get()) : full.substr(0, dot);
    const std::string_view name = dot == full.npos ? full : full.substr(dot + 1);
    for (const Declared& one : g_declared)
        if (one.group == group && one.name == name) return &one;
    return nullptr;
}

Status prepare(Args& args) {
    const script::Value* const name = args.constant(0);
    if (name == nullptr) return {};
    const Declared* const found = declared(name->text);
    if (found == nullptr)
        return Error{Errc::not_found, fmt::format("there is no counter \"{}\"", text::printable(name->text)),
                     fmt::format("modparam(\"counters\", \"script_counter\", \"{}\")", text::printable(name->text))};
    args.keep(found->id);
    return {};
}
const uint16_t* id_of(Run& run, const Args& args) {
    if (const auto* const known = args.prepared<uint16_t>()) return known;
    const Declared* const found = declared(args.text(run, 0));
    return found == nullptr ? nullptr : &found->id;
}
int count(Run& run, const Args& args, int64_t by) {
    const uint16_t* const id = id_of(run, args);
    if (id == nullptr) return -1;
    stats::add(*id, by);
    return 1;
}
int cnt_inc(Run& run, const Args& args) { return count(run, args, 1); }
int cnt_add(Run& run, const Args& args) { return count(run, args, args.number(run, 1)); }
int cnt_reset(Run& run, const Args& args) {
    const uint16_t* const id = id_of(run, args);
    if (id == nullptr) return -1;
    stats::reset(*id);
    return 1;
}

// Any counter, by its name alone, as Kamailio's statistics have it.
int update_stat(Run& run, const Args& args) {
    const stats::Row* const row = stats::find_row_named(args.text(run, 0));
    const auto by = args.integer(run, 1);
    if (row == nullptr || !row->resettable() || !by) return -1;
    stats::add(row->id, *by);
    return 1;
}
int reset_stat(Run& run, const Args& args) {
    const stats::Row* const row = stats::find_row_named(args.text(run, 0));
    if (row == nullptr || !row->resettable()) return -1;
    stats::reset_row(*row);
    return 1;
}

script::Value stat(Run& run, const script::VariableUse& use) {
    const stats::Row* const row = stats::find_row_named(use.inner_text(run));
    return row == nullptr ? script::Value::none() : script::Value::of(row->value());
}

constexpr Function kFunctions[] = {
    {"cnt_inc", 1, 1, "([string group.]name)", "Adds one to a counter declared with script_counter.", kAnyRoute,
     cnt_inc, prepare},
    {"cnt_add", 2, 2, "([string group.]name, int number)", "Adds a number to a counter declared with script_counter.",
     kAnyRoute, cnt_add, prepare},
    {"cnt_reset", 1, 1, "([string group.]name)", "Sets a counter declared with script_counter to zero.", kAnyRoute,
     cnt_reset, prepare},
    {"update_stat", 2, 2, "(string name, int number)", "Adds a number to any counter: \"+1\", \"-1\".", kAnyRoute,
     update_stat},
    {"reset_stat", 1, 1, "(string name)", "Sets any counter to zero.", kAnyRoute, reset_stat},
};

constexpr Variable kVariables[] = {
    {"stat", "Value of a counter, over all processes; null if there is none of that name.", stat},
};

const Param kParams[] = {
    {.name = "script_cnt_grp_name",
     .kind = ParamKind::text,
     .text = &g_group,
     .help = "Group of script counters whose name has none; it stands before the script_counter lines."},
    {.name = "script_counter",
     .kind = ParamKind::custom,
     .accept = declare,
     .help = "Makes a counter for the script: name or group.name, then what it counts. Several by repetition.",
     .default_text = "none"},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "counters",
    .summary = "Counters of the routing script.",
    .params = kParams,
    .functions = kFunctions,
    .variables = kVariables,
    .description = "The RPC commands cnt.* and stats.* show them with all others; those commands need no module.",
};

}  // namespace kahu::counters
