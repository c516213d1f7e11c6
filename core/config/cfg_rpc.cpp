#include "core/config/cfg_rpc.h"

#include <fmt/format.h>

#include "core/config/runtime_cfg.h"

namespace kahu::config {
namespace {

RpcValue shown(const ParamValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return RpcValue(*number);
    return RpcValue(std::get<std::string>(value));
}

// Kamailio's words first, then the reason, which Kamailio only logs.
void fail(RpcCall& call, std::string_view what, const Error& why) {
    call.fault(400, fmt::format("{}: {}", what, why.text()));
}

std::optional<GroupName> next_group(RpcCall& call, std::string_view what) {
    const auto text = call.next_text();
    if (!text) return std::nullopt;
    auto group = parse_group(*text);
    if (!group) call.fault(400, std::string(what));
    return group;
}

constexpr std::string_view kGroupSyntax = "Wrong group syntax. Use either \"group\", or \"group[id]\"";
constexpr std::string_view kInstanceSyntax = "Wrong group syntax. Use \"group[id]\"";

std::optional<GroupName> next_instance(RpcCall& call) {
    auto group = next_group(call, kInstanceSyntax);
    if (group && !group->instance) {
        call.fault(400, std::string(kInstanceSyntax));
        return std::nullopt;
    }
    return group;
}

// --- reading -------------------------------------------------------------------------------------------
void list(RpcCall& call) {
    const std::optional<std::string> wanted = call.more() ? call.next_text() : std::nullopt;
    for (const CfgGroup& group : runtime_cfg().groups())
        if (!wanted || group.name == *wanted)
            for (const CfgVariable& variable : group.variables)
                call.add(fmt::format("{}: {}", group.name, variable.name));
}

void get_group(RpcCall& call, const GroupName& name) {
    RpcStruct out;
    if (const CfgGroup* group = runtime_cfg().find_group(name.group))
        for (const CfgVariable& variable : group->variables)
            if (const auto value = runtime_cfg().get(name, variable.name))
                out.emplace_back(variable.name, shown(*value));
    call.add(std::move(out));
}

void get(RpcCall& call) {
    if (!call.more()) return call.fault(500, "Failed to get the parameters");
    const auto group = next_group(call, kGroupSyntax);
    if (!group) return;
    if (!call.more()) return get_group(call, *group);
    const auto name = call.next_text();
    if (!name) return;
    if (const auto value = runtime_cfg().get(*group, *name)) return call.add(shown(*value));
    const bool exists = runtime_cfg().find(group->group, *name) && !group->instance;
    call.fault(400,
               exists ? "Variable exists, but it is not readable via RPC interface" : "Failed to get the variable");
}

void help(RpcCall& call) {
    if (!call.has_texts(2)) return;
    const auto group = next_group(call, kGroupSyntax);
    const auto name = group ? call.next_text() : std::nullopt;
    if (!name) return;
    const CfgVariable* variable = runtime_cfg().find(group->group, *name);
    if (!variable) return call.fault(400, "Failed to get the variable description");
    call.add(variable->row->help.empty() ? std::string("<null string>") : std::string(variable->row->help));
    call.add(fmt::format("(parameter type is {})", variable->is_text() ? "string" : "integer"));
}

void diff(RpcCall& call) {
    for (const PendingChange& change : runtime_cfg().pending()) {
        RpcStruct row{{"group name", change.group.group}};
        if (change.group.instance) row.emplace_back("group id", *change.group.instance);
        row.emplace_back("variable name", change.name);
        const auto before = runtime_cfg().get(change.group, change.name);
        const auto after = change.value ? change.value : runtime_cfg().get({change.group.group, {}}, change.name);
        if (before) row.emplace_back("old value", shown(*before));
        if (after) row.emplace_back("new value", shown(*after));
        call.add(std::move(row));
    }
}

// --- changing ------------------------------------------------------------------------------------------
enum class When : uint8_t { now, delayed };

void assign(RpcCall& call, When when, std::optional<ParamValue> (*next)(RpcCall&)) {
    if (!call.has_texts(2)) return;
    const auto group = next_group(call, kGroupSyntax);
    const auto name = group ? call.next_text() : std::nullopt;
    const auto value = name ? next(call) : std::nullopt;
    if (!value) return;
    const Status done = when == When::now ? runtime_cfg().set_now(*group, *name, *value)
                                          : runtime_cfg().set_delayed(*group, *name, *value);
    if (!done) fail(call, "Failed to set the variable", done.error());
}

std::optional<ParamValue> next_number(RpcCall& call) {
    const auto number = call.next_int();
    return number ? std::optional<ParamValue>(*number) : std::nullopt;
}
std::optional<ParamValue> next_string(RpcCall& call) {
    auto text = call.next_text();
    return text ? std::optional<ParamValue>(*std::move(text)) : std::nullopt;
}
std::optional<ParamValue> next_either(RpcCall& call) {
    const auto any = call.next_any();
    if (!any) return std::nullopt;
    if (const auto* number = std::get_if<int64_t>(&*any)) return ParamValue(*number);
    if (const auto* text = std::get_if<std::string>(&*any)) return ParamValue(*text);
    return ParamValue(static_cast<int64_t>(std::get<double>(*any)));
}

void set_now_int(RpcCall& call) { assign(call, When::now, next_number); }
void set_now_string(RpcCall& call) { assign(call, When::now, next_string); }
void set(RpcCall& call) { assign(call, When::now, next_either); }
void set_delayed_int(RpcCall& call) { assign(call, When::delayed, next_number); }
void set_delayed_string(RpcCall& call) { assign(call, When::delayed, next_string); }
void set_delayed(RpcCall& call) { assign(call, When::delayed, next_either); }

void del(RpcCall& call) {
    if (!call.has_texts(2)) return;
    const auto group = next_instance(call);
    const auto name = group ? call.next_text() : std::nullopt;
    if (!name) return;
    if (Status done = runtime_cfg().erase(*group, *name); !done) fail(call, "Failed to delete the value", done.error());
}

void del_delayed(RpcCall& call) {
    if (!call.has_texts(2)) return;
    const auto group = next_instance(call);
    const auto name = group ? call.next_text() : std::nullopt;
    if (!name) return;
    if (Status done = runtime_cfg().erase_delayed(*group, *name); !done)
        fail(call, "Failed to delete the value", done.error());
}

void commit(RpcCall& call) {
    if (Status done = runtime_cfg().commit(); !done) fail(call, "Failed to commit the changes", done.error());
}

void rollback(RpcCall&) { runtime_cfg().rollback(); }

void reset(RpcCall& call) {
    const auto group = next_group(call, kGroupSyntax);
    if (!group) return;
    if (Status done = runtime_cfg().reset(group->group); !done) call.fault(500, "Reset failed: " + done.error().text());
}

void add_group_inst(RpcCall& call) {
    const auto group = next_instance(call);
    if (!group) return;
    if (Status done = runtime_cfg().add_instance(*group); !done)
        fail(call, "Failed to add the group instance", done.error());
}

void del_group_inst(RpcCall& call) {
    const auto group = next_instance(call);
    if (!group) return;
    if (Status done = runtime_cfg().remove_instance(*group); !done)
        fail(call, "Failed to delete the group instance", done.error());
}

constexpr Command kCommands[] = {
    {"cfg.add_group_inst", "group[id]", "Makes an instance of a group: its variables may differ from the group's.",
     add_group_inst},
    {"cfg.commit", "", "Makes all delayed changes valid, or none of them if one fails.", commit},
    {"cfg.del", "group[id] name", "Takes an instance's own value back: the group's is valid again.", del},
    {"cfg.del_delayed", "group[id] name", "Like cfg.del, when cfg.commit comes.", del_delayed},
    {"cfg.del_group_inst", "group[id]", "Removes an instance of a group.", del_group_inst},
    {"cfg.diff", "", "Shows the delayed changes.", diff},
    {"cfg.get", "group[[id]] [name]", "Shows a variable, or all variables of a group.", get},
    {"cfg.help", "group name", "Says what a variable is for and what type it has.", help},
    {"cfg.list", "[group]", "Lists the variables of all groups, or of one.", list},
    {"cfg.reset", "group", "Sets all variables of a group to what the configuration file says.", reset},
    {"cfg.rollback", "", "Forgets the delayed changes.", rollback},
    {"cfg.set", "group[[id]] name value", "Changes a variable at once.", set},
    {"cfg.set_delayed", "group[[id]] name value", "Changes a variable when cfg.commit comes.", set_delayed},
    {"cfg.set_delayed_int", "group[[id]] name number",
     "Changes a variable when cfg.commit comes; the value is a number.", set_delayed_int},
    {"cfg.set_delayed_string", "group[[id]] name text", "Changes a variable when cfg.commit comes; the value is text.",
     set_delayed_string},
    {"cfg.set_now_int", "group[[id]] name number", "Changes a variable at once; the value is a number.", set_now_int},
    {"cfg.set_now_string", "group[[id]] name text", "Changes a variable at once; the value is text.", set_now_string},
    {"cfg.seti", "group[[id]] name number", "The same as cfg.set_now_int.", set_now_int},
    {"cfg.sets", "group[[id]] name text", "The same as cfg.set_now_string.", set_now_string},
};

}  // namespace

std::span<const Command> cfg_commands() { return kCommands; }

}  // namespace kahu::config
