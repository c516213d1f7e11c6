// core/script/script_variables.cpp -- $var, $avp, and what the interpreter itself knows.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string>

#include "core/script/avp_param.h"
#include "core/script/core_variables.h"
#include "core/script/program.h"
#include "core/script/run.h"
#include "core/script/script_place.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;

// $var(name): one per process, kept from message to message, 0 at first.  $vn(name) is null at first.
struct Stored {
    std::string name;
    bool null_at_first = false;
    Value::Kind kind = Value::Kind::integer;
    int64_t number = 0;
    std::string text;

    void clear() {
        kind = null_at_first ? Value::Kind::null : Value::Kind::integer;
        number = 0;
    }
};
// Never shrinks or moves: uses keep the index, and processes fork with the same list.
std::deque<Stored>& stored() {
    static std::deque<Stored> all;
    return all;
}

Status prepare_named(Use& use, bool null_at_first) {
    if (use.inner.empty() || use.inner_format != nullptr)
        return Error{Errc::invalid, fmt::format("${} needs a name", use.name), fmt::format("${}(x)", use.name)};
    auto& all = stored();
    // What is compiled while the server runs can only read: all names that the script does not have are one, never set.
    const bool too_late = Program::installed() != nullptr && script_place().scope == nullptr;
    const bool named = std::ranges::any_of(
        all, [&](const Stored& each) { return each.name == use.inner && each.null_at_first == null_at_first; });
    const std::string name = named || !too_late ? use.inner : std::string();
    for (size_t i = 0; i < all.size(); ++i)
        if (all[i].name == name && all[i].null_at_first == null_at_first) {
            use.number = static_cast<int64_t>(i);
            return {};
        }
    use.number = static_cast<int64_t>(all.size());
    all.push_back({name, null_at_first, {}, 0, {}});
    all.back().clear();
    return {};
}
Status prepare_var(Use& use) { return prepare_named(use, false); }
Status prepare_vn(Use& use) { return prepare_named(use, true); }

Value get_var(Run& run, const Use& use) {
    const Stored& var = stored()[static_cast<size_t>(use.number)];
    // Copied: the text may be assigned anew while somebody still looks at this value.
    if (var.kind == Value::Kind::text) return Value::of(run.arena().copy(var.text));
    return var.kind == Value::Kind::integer ? Value::of(var.number) : Value::none();
}
void assign(Stored& var, const Value& value) {
    if (value.is_null()) return var.clear();
    var.kind = value.kind;
    var.number = value.number;
    if (value.is_text()) var.text.assign(value.text);
}
Status set_var(Run&, const Use& use, const Value& value) {
    assign(stored()[static_cast<size_t>(use.number)], value);
    return {};
}

// "s:name", "i:12" and "name" are names; Kamailio's types of names are gone with OpenSER.
Status prepare_avp(Use& use) {
    if (use.inner.empty() && use.inner_format == nullptr) return Error{Errc::invalid, "$avp needs a name", "$avp(x)"};
    if (use.inner.size() > 2 && (use.inner.substr(0, 2) == "s:" || use.inner.substr(0, 2) == "i:"))
        use.inner.erase(0, 2);
    if (use.inner_format == nullptr) use.inner = avp_called(use.inner);
    return {};
}
Value all_avps(Run& run, std::string_view name) {
    std::string joined;
    for (size_t i = 0; const Run::Avp* avp = run.avp(name, i); ++i) {
        if (i != 0) joined += ", ";
        joined += to_text(avp->value, run.arena());
    }
    return Value::of(run.arena().copy(joined));
}
// The newest one without index, all with [*].
Value get_avp(Run& run, const Use& use) {
    const std::string_view name = use.inner_text(run);
    if (use.index_kind == Use::Index::all && run.count_avps(name) > 1) return all_avps(run, name);
    const size_t at = use.index_kind == Use::Index::none ? 0 : use.position(run, run.count_avps(name));
    const Run::Avp* const avp = at == Use::npos ? nullptr : run.avp(name, at);
    return avp == nullptr ? Value::none() : avp->value;
}
// $avp(x) = v adds one on top, $avp(x) = $null removes the newest; an index makes no difference, as in Kamailio.
// $(avp(x)[*]) = v replaces all, = $null removes all.
Status set_avp(Run& run, const Use& use, const Value& value) {
    const std::string_view name = use.inner_text(run);
    if (use.index_kind == Use::Index::all) run.remove_avps(name);
    if (!value.is_null()) run.add_avp(name, value);
    else if (use.index_kind != Use::Index::all) run.remove_avp(name, 0);
    return {};
}

Value null_value(Run&, const Use&) { return Value::none(); }
Value true_value(Run&, const Use&) { return Value::of(int64_t{1}); }
Value return_code(Run& run, const Use&) { return Value::of(int64_t{run.return_code}); }

Value flags(Run& run, const Use&) { return Value::of(int64_t{run.flags}); }
Value flags_hex(Run& run, const Use&) {
    char text[16];
    const auto end = fmt::format_to_n(text, sizeof text, "{:08X}", run.flags);
    return Value::of(run.arena().copy({text, end.size}));
}
Status set_flags(Run& run, const Use&, const Value& value) {
    run.flags = static_cast<uint32_t>(to_integer(value));
    return {};
}
Status prepare_flag(Use& use) {
    int64_t number = 0;
    if (!spells_integer(use.inner, number) || number < 0 || number > 31)
        return Error{Errc::invalid, fmt::format("\"{}\" is no flag", use.inner), "0 to 31"};
    use.number = number;
    return {};
}
Value one_flag(Run& run, const Use& use) { return Value::of(int64_t{run.flags >> use.number & 1}); }
Status set_one_flag(Run& run, const Use& use, const Value& value) {
    const uint32_t bit = uint32_t{1} << use.number;
    run.flags = to_truth(value) ? run.flags | bit : run.flags & ~bit;
    return {};
}

constexpr Variable kVariables[] = {
    {"var", "A variable of this process, kept from message to message; 0 at first.", get_var, set_var, prepare_var},
    {"vz", "The same as $var.", get_var, set_var, prepare_var},
    {"vn", "As $var, null at first.", get_var, set_var, prepare_vn},
    {"avp", "A list of values that lives as long as the message; the newest comes first.", get_avp, set_avp,
     prepare_avp},
    {"null", "Nothing.", null_value},
    {"true", "1.", true_value},
    {"rc", "What the last function or route returned.", return_code},
    {"retcode", "The same as $rc.", return_code},
    {"mf", "Flags of the message.", flags, set_flags},
    {"mF", "Flags of the message in hexadecimal.", flags_hex, set_flags},
    {"Mf", "One flag of the message, 0 or 1.", one_flag, set_one_flag, prepare_flag},
};

}  // namespace

std::span<const Variable> script_variables() { return kVariables; }

void set_script_variable(std::string_view name, const Value& value) {
    Use use;
    use.name = "var";
    use.inner = name;
    if (prepare_var(use)) assign(stored()[static_cast<size_t>(use.number)], value);
}

void visit_script_variables(const std::function<void(std::string_view, const Value&)>& visit) {
    for (const Stored& var : stored()) {
        if (var.null_at_first) continue;
        const bool is_text = var.kind == Value::Kind::text;
        visit(var.name, is_text ? Value::of(std::string_view(var.text)) : Value::of(var.number));
    }
}

void assign_script_variable(std::string_view name, const Value& value) {
    for (Stored& var : stored())
        if (!var.null_at_first && var.name == name) assign(var, value);
}

void clear_script_variables() {
    for (Stored& var : stored()) var.clear();
}

}  // namespace kahu::script
