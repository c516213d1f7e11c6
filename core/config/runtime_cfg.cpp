#include "core/config/runtime_cfg.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace kahu::config {
namespace {

// Kamailio's names that do not follow from the parameter's.
struct Renamed {
    std::string_view group, name, row;
};
constexpr Renamed kRenamed[] = {
    {"tcp", "max_tls_connections", "tls_max_connections"},
    {"tcp", "wait_data_ms", "tcp_wait_data"},
    {"tcp", "listen_backlog", "tcp_listen_backlog"},
};

std::string name_in_group(std::string_view group, std::string_view row) {
    for (const Renamed& renamed : kRenamed)
        if (renamed.group == group && renamed.row == row) return std::string(renamed.name);
    if (row.size() > group.size() + 1 && row.starts_with(group) && row[group.size()] == '_')
        return std::string(row.substr(group.size() + 1));
    return std::string(row);
}

std::optional<ParamValue> value_of(const Param& row) {
    if (row.number) return row.number->get();
    if (row.text) return row.text->get();
    return std::nullopt;
}

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

Error unknown(const GroupName& group, std::string_view name) {
    const std::string shown = group.instance ? fmt::format("{}[{}]", group.group, *group.instance) : group.group;
    return {Errc::not_found,
            fmt::format("there is no variable {}.{}", text::printable(shown, 80), text::printable(name, 80)), ""};
}

// The same conversions as kahu::apply(), without effect: a delayed change is checked when it is asked for.
Result<ParamValue> converted(const Param& row, const ParamValue& value) {
    const auto* number = std::get_if<int64_t>(&value);
    if (row.kind == ParamKind::text) {
        std::string text = number ? std::to_string(*number) : std::get<std::string>(value);
        if (text.size() > TextSetting::kTextCapacity)
            return Error{Errc::invalid, fmt::format("{} is longer than {} bytes", row.name, TextSetting::kTextCapacity),
                         ""};
        return ParamValue(std::move(text));
    }
    std::optional<int64_t> parsed;
    if (number) parsed = *number;
    else parsed = text::to_int(text::trim(std::get<std::string>(value)), 0);
    const bool truth = row.kind == ParamKind::boolean;
    const bool fits = parsed && (truth ? *parsed == 0 || *parsed == 1 : *parsed >= row.min && *parsed <= row.max);
    if (fits) return ParamValue(*parsed);
    const std::string shown =
        number ? std::to_string(*number) : '"' + text::printable(std::get<std::string>(value), 80) + '"';
    return Error{Errc::invalid, fmt::format("{} = {} is not valid", row.name, shown),
                 "expected " + describe_range(row)};
}

}  // namespace

std::string_view group_of_module(std::string_view module) { return module == "debugger" ? "dbg" : module; }

std::optional<GroupName> parse_group(std::string_view text) {
    const size_t open = text.find('[');
    if (open == text.npos) return is_word(text) ? std::optional(GroupName{std::string(text), {}}) : std::nullopt;
    if (text.back() != ']' || !is_word(text.substr(0, open))) return std::nullopt;
    const auto id = text::to_int(text.substr(open + 1, text.size() - open - 2));
    if (!id || *id < 0 || *id > UINT32_MAX) return std::nullopt;
    return GroupName{std::string(text.substr(0, open)), *id};
}

// --- the registry --------------------------------------------------------------------------------------
CfgGroup& RuntimeCfg::group_named(std::string_view name) {
    for (CfgGroup& group : groups_)
        if (group.name == name) return group;
    groups_.push_back({std::string(name), {}});
    return groups_.back();
}

void RuntimeCfg::add_rows(std::string_view group, std::span<const Param> rows) {
    CfgGroup& into = group_named(group);
    for (const Param& row : rows) {
        if (!row.remark.empty() || find(group, row.name)) continue;
        into.variables.push_back({name_in_group(group, row.name), &row, value_of(row).value_or(ParamValue{})});
    }
}

const CfgGroup* RuntimeCfg::find_group(std::string_view name) const {
    const auto group = std::ranges::find_if(groups_, [&](const CfgGroup& g) { return g.name == name; });
    return group == groups_.end() ? nullptr : &*group;
}

const CfgVariable* RuntimeCfg::find(std::string_view group, std::string_view name) const {
    const CfgGroup* in = find_group(group);
    if (!in) return nullptr;
    const auto variable = std::ranges::find_if(
        in->variables, [&](const CfgVariable& v) { return v.name == name || v.row->name == name; });
    return variable == in->variables.end() ? nullptr : &*variable;
}

void RuntimeCfg::remember_configured() {
    for (CfgGroup& group : groups_)
        for (CfgVariable& variable : group.variables)
            variable.configured = value_of(*variable.row).value_or(ParamValue{});
}

void RuntimeCfg::add_custom_row(const CustomSetting& setting) {
    custom_names_.push_back(setting.name);
    const std::string& name = custom_names_.back();
    custom_names_.push_back(setting.description);
    Param row{.name = name, .help = custom_names_.back(), .applies = Applies::at_runtime};
    if (const auto* number = std::get_if<int64_t>(&setting.value)) {
        row.number = &custom_numbers_.emplace_back(*number);
    } else {
        row.kind = ParamKind::text;
        row.text = &custom_texts_.emplace_back(std::get<std::string>(setting.value));
    }
    custom_rows_.push_back(row);
    group_named(setting.group).variables.push_back({setting.name, &custom_rows_.back(), setting.value});
}

void RuntimeCfg::add_custom(const Ast& ast, Diagnostics& diagnostics) {
    const auto report = [&](const CustomSetting& setting, const Error& error) {
        diagnostics.error(setting.value_at, fmt::format("{}.{}: {}", setting.group, setting.name, error.what),
                          error.hint);
    };
    for (const CustomSetting& setting : ast.custom_settings) {
        if (setting.instance) continue;
        const CfgVariable* known = find(setting.group, setting.name);
        const auto* text = std::get_if<std::string>(&setting.value);
        const bool custom =
            known && std::ranges::any_of(custom_rows_, [&](const Param& row) { return &row == known->row; });
        if (custom) {
            diagnostics.error(setting.at, fmt::format("{}.{} is defined twice", setting.group, setting.name));
        } else if (known) {
            if (Status applied = kahu::apply(*known->row, setting.value); !applied) report(setting, applied.error());
        } else if (text && text->size() > TextSetting::kTextCapacity) {
            report(setting, {Errc::invalid, fmt::format("longer than {} bytes", TextSetting::kTextCapacity), ""});
        } else {
            add_custom_row(setting);
        }
    }
    for (const CustomSetting& setting : ast.custom_settings) {  // group[5].name: after all names are known
        if (!setting.instance) continue;
        const GroupName group{setting.group, setting.instance};
        const CfgVariable* variable = find(setting.group, setting.name);
        if (!variable) {
            report(setting, {Errc::not_found, "there is no such variable",
                             fmt::format("define {}.{} first", setting.group, setting.name)});
            continue;
        }
        if (!find_instance(group))
            if (Status added = add_instance(group); !added) report(setting, added.error());
        Result<ParamValue> value = converted(*variable->row, setting.value);
        if (!value) report(setting, value.error());
        else if (find_instance(group))
            instances_[{setting.group, *setting.instance}].insert_or_assign(variable->name, *value);
    }
}

void RuntimeCfg::clear() {
    groups_.clear();
    instances_.clear();
    pending_.clear();
    custom_rows_.clear();
    custom_numbers_.clear();
    custom_texts_.clear();
    custom_names_.clear();
}

// --- values ----------------------------------------------------------------------------------------------
const RuntimeCfg::Instance* RuntimeCfg::find_instance(const GroupName& group) const {
    const auto instance = instances_.find({group.group, group.instance.value_or(0)});
    return group.instance && instance != instances_.end() ? &instance->second : nullptr;
}

std::optional<ParamValue> RuntimeCfg::own_value(const GroupName& group, std::string_view name) const {
    const Instance* instance = find_instance(group);
    if (!instance) return std::nullopt;
    const auto value = instance->find(name);
    return value == instance->end() ? std::nullopt : std::optional(value->second);
}

std::optional<ParamValue> RuntimeCfg::get(const GroupName& group, std::string_view name) const {
    const CfgVariable* variable = find(group.group, name);
    if (!variable || (group.instance && !find_instance(group))) return std::nullopt;
    if (auto own = own_value(group, variable->name)) return own;
    return value_of(*variable->row);
}

Result<const CfgVariable*> RuntimeCfg::writable(const GroupName& group, std::string_view name) const {
    const CfgVariable* variable = find(group.group, name);
    if (!variable || (group.instance && !find_instance(group))) return unknown(group, name);
    if (variable->row->applies != Applies::at_runtime || (!variable->row->number && !variable->row->text))
        return Error{Errc::unsupported,
                     fmt::format("{}.{} cannot be changed while the server runs", group.group, variable->name), ""};
    return variable;
}

Status RuntimeCfg::check(const GroupName& group, std::string_view name, const ParamValue& value) const {
    const Result<const CfgVariable*> variable = writable(group, name);
    if (!variable) return variable.error();
    const Result<ParamValue> fits = converted(*(*variable)->row, value);
    return fits ? Status{} : Status(fits.error());
}

Status RuntimeCfg::apply_change(const PendingChange& change) {
    const Result<const CfgVariable*> variable = writable(change.group, change.name);
    if (!variable) return variable.error();
    const Param& row = *(*variable)->row;
    if (!change.group.instance) return change.value ? kahu::apply(row, *change.value) : Status{};
    Instance& instance = instances_[{change.group.group, *change.group.instance}];
    if (!change.value) {
        instance.erase((*variable)->name);
        return {};
    }
    Result<ParamValue> value = converted(row, *change.value);
    if (!value) return value.error();
    instance.insert_or_assign((*variable)->name, *std::move(value));
    return {};
}

Status RuntimeCfg::set_now(const GroupName& group, std::string_view name, const ParamValue& value) {
    if (Status fits = check(group, name, value); !fits) return fits;
    return apply_change({group, std::string(name), value});
}

Status RuntimeCfg::erase(const GroupName& group, std::string_view name) {
    return apply_change({group, std::string(name), std::nullopt});
}

Status RuntimeCfg::reset(std::string_view name) {
    const CfgGroup* group = find_group(name);
    if (!group) return Error{Errc::not_found, fmt::format("there is no group {}", text::printable(name, 80)), ""};
    for (const CfgVariable& variable : group->variables) {
        if (variable.row->applies != Applies::at_runtime ||
            value_of(*variable.row) == std::optional(variable.configured))
            continue;
        if (Status applied = kahu::apply(*variable.row, variable.configured); !applied) return applied;
    }
    return {};
}

// --- delayed changes ---------------------------------------------------------------------------------------
Status RuntimeCfg::set_delayed(const GroupName& group, std::string_view name, const ParamValue& value) {
    if (Status fits = check(group, name, value); !fits) return fits;
    if (pending_.size() >= kMaxPending)
        return Error{Errc::no_memory, fmt::format("more than {} changes are pending", kMaxPending),
                     "cfg.commit or cfg.rollback"};
    pending_.push_back({group, find(group.group, name)->name, *converted(*find(group.group, name)->row, value)});
    return {};
}

Status RuntimeCfg::erase_delayed(const GroupName& group, std::string_view name) {
    const Result<const CfgVariable*> variable = writable(group, name);
    if (!variable) return variable.error();
    if (pending_.size() >= kMaxPending)
        return Error{Errc::no_memory, fmt::format("more than {} changes are pending", kMaxPending),
                     "cfg.commit or cfg.rollback"};
    pending_.push_back({group, (*variable)->name, std::nullopt});
    return {};
}

Status RuntimeCfg::commit() {
    std::vector<PendingChange> undo;
    for (const PendingChange& change : pending_) {
        std::optional<ParamValue> before =
            change.group.instance ? own_value(change.group, change.name) : get(change.group, change.name);
        if (Status applied = apply_change(change); !applied) {
            for (auto back = undo.rbegin(); back != undo.rend(); ++back) (void)apply_change(*back);
            return applied;
        }
        undo.push_back({change.group, change.name, std::move(before)});
    }
    pending_.clear();
    return {};
}

// --- instances ---------------------------------------------------------------------------------------------
Status RuntimeCfg::add_instance(const GroupName& group) {
    if (!find_group(group.group))
        return Error{Errc::not_found, fmt::format("there is no group {}", text::printable(group.group, 80)), ""};
    if (instances_.size() >= kMaxInstances)
        return Error{Errc::no_memory, fmt::format("more than {} instances", kMaxInstances), ""};
    instances_.try_emplace({group.group, group.instance.value_or(0)});
    return {};
}

Status RuntimeCfg::remove_instance(const GroupName& group) {
    if (!find_instance(group))
        return Error{Errc::not_found,
                     fmt::format("there is no instance {} of group {}", group.instance.value_or(0),
                                 text::printable(group.group, 80)),
                     ""};
    instances_.erase({group.group, *group.instance});
    std::erase_if(pending_, [&](const PendingChange& change) {
        return change.group.group == group.group && change.group.instance == group.instance;
    });
    return {};
}

RuntimeCfg& runtime_cfg() {
    static RuntimeCfg registry;
    return registry;
}

}  // namespace kahu::config
