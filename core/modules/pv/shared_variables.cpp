#include "core/modules/pv/shared_variables.h"

#include <fmt/format.h>

#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/text.h"
#include "core/script/core_variables.h"
#include "core/script/program.h"
#include "core/script/run.h"
#include "core/script/script_place.h"
#include "core/script/variable.h"
#include "mem/guarded.h"

namespace kahu::pv {
namespace {

using script::Run;
using script::Value;
using Use = script::VariableUse;

constexpr std::string_view kPartName = "pv.shv";

struct Cell {
    int64_t number = 0;
    uint32_t is_text = 0;
    uint32_t bytes = 0;
    char text[kTextBytes] = {};

    bool repair() {
        number = 0;
        is_text = bytes = 0;
        return true;
    }
    Value value(script::Arena& arena) const {
        return is_text != 0 ? Value::of(arena.copy({text, bytes})) : Value::of(number);
    }
    bool set(const Value& value) {
        if (value.is_text() && value.text.size() > kTextBytes) return false;
        is_text = value.is_text();
        bytes = value.is_text() ? static_cast<uint32_t>(value.text.copy(text, kTextBytes)) : 0;
        number = value.is_text() ? 0 : value.number;
        return true;
    }
};
using SharedCell = mem::Guarded<Cell>;

struct Named {
    std::string name;
    Cell own;                      // until the segment is there
    SharedCell* shared = nullptr;  // in the segment
};
// Filled before the first fork: processes have the same list.
std::deque<Named>& all() {
    static std::deque<Named> list;
    return list;
}
Named* find(std::string_view name) {
    for (Named& each : all())
        if (each.name == name) return &each;
    return nullptr;
}
size_t index_of(std::string_view name) {
    for (size_t i = 0; i < all().size(); ++i)
        if (all()[i].name == name) return i;
    all().push_back({std::string(name), {}, nullptr});
    return all().size() - 1;
}

template <class Do>
auto with_cell(Named& named, Do what) {
    if (named.shared == nullptr) return what(named.own);
    auto access = named.shared->lock();
    return what(*access);
}
Status set(Named& named, const Value& value) {
    if (with_cell(named, [&](Cell& cell) { return cell.set(value); })) return {};
    return Error{Errc::invalid, fmt::format("the value of $shv({}) is longer than {} bytes", named.name, kTextBytes),
                 ""};
}

// --- variables -----------------------------------------------------------------------------------------
Status prepare(Use& use) {
    if (use.inner.empty() || use.inner_format != nullptr)
        return Error{Errc::invalid, fmt::format("${} needs a name", use.name), fmt::format("${}(x)", use.name)};
    // What is compiled while the server runs makes no variable: those that the script does not have are one, never set.
    const bool too_late = script::Program::installed() != nullptr && script::script_place().scope == nullptr;
    use.number = static_cast<int64_t>(index_of(too_late && find(use.inner) == nullptr ? "" : use.inner));
    return {};
}
Named& named(const Use& use) { return all()[static_cast<size_t>(use.number)]; }
Value get_shared(Run& run, const Use& use) {
    return with_cell(named(use), [&](Cell& cell) { return cell.value(run.arena()); });
}
Status set_shared(Run&, const Use& use, const Value& value) { return set(named(use), value); }
Value increment(Run&, const Use& use) {
    return with_cell(named(use), [](Cell& cell) {
        if (cell.is_text == 0) ++cell.number;
        return Value::of(cell.number);
    });
}

constexpr Variable kVariables[] = {
    {"shv", "A variable that all processes share; 0 at first.", get_shared, set_shared, prepare},
    {"shvinc", "Adds one to such a variable and gives the result.", increment, nullptr, prepare},
};

// --- RPC -----------------------------------------------------------------------------------------------
RpcStruct shown(Named& named) {
    static script::Arena arena;
    arena.reset();
    const Value value = with_cell(named, [](Cell& cell) { return cell.value(arena); });
    RpcStruct out{{"name", named.name}, {"type", value.is_text() ? "string" : "int"}};
    if (value.is_text()) out.emplace_back("value", value.text);
    else out.emplace_back("value", value.number);
    return out;
}
void rpc_get(RpcCall& call) {
    if (call.more()) {
        const auto name = call.next_text();
        if (!name) return;
        Named* const found = find(*name);
        if (found == nullptr) return call.fault(404, "Variable not found");
        return call.add(shown(*found));
    }
    RpcStruct items;
    for (Named& each : all()) items.emplace_back("shv", shown(each));
    call.add(RpcStruct{{"items", std::move(items)}});
}
void rpc_set(RpcCall& call) {
    if (!call.has_params(1, 500, "Missing parameter varname (Parameters: varname type value)") ||
        !call.has_params(2, 500, "Missing parameter type (Parameters: varname type value)"))
        return;
    const auto name = call.next_text();
    if (!name) return;
    const auto type = call.next_text();
    if (!type) return;
    const bool is_text = text::iequals(*type, "str");
    if (!is_text && !text::iequals(*type, "int")) return call.fault(500, "Unknown parameter type (Types: int or str)");
    std::optional<int64_t> number;
    std::optional<std::string> text;
    if (is_text) text = call.next_text();
    else number = call.next_int();
    if (!number && !text) return;
    Named* const found = find(*name);
    if (found == nullptr) return call.fault(404, "Variable not found");
    const Status done = set(*found, is_text ? Value::of(std::string_view(*text)) : Value::of(*number));
    if (!done) return call.fault(500, done.error().what);
    call.add("Ok. Variable set to new value.");
}
constexpr Command kCommands[] = {
    {"pv.shvGet", "[name]", "Value of one $shv(), or of all that the script mentions.", rpc_get},
    {"pv.shvSet", "name type value", "Sets a $shv(); type is int or str.", rpc_set},
};

// --- parameters ------------------------------------------------------------------------------------------
// "name=i:5", "name=s:text"
Status read_assignment(const ParamValue& value, std::string_view& name, Value& out) {
    const auto* const given = std::get_if<std::string>(&value);
    const std::string_view text = given == nullptr ? std::string_view() : std::string_view(*given);
    const size_t equals = text.find('=');
    const Error wrong{Errc::invalid, fmt::format("\"{}\" sets no variable", text::printable(text, 60)),
                      "\"name=i:5\" or \"name=s:text\""};
    if (equals == text.npos || equals == 0 || text.size() < equals + 3 || text[equals + 2] != ':') return wrong;
    name = text.substr(0, equals);
    const std::string_view rest = text.substr(equals + 3);
    const char type = static_cast<char>(text[equals + 1] | 0x20);
    int64_t number = 0;
    if (type == 's') out = Value::of(rest);
    else if (type == 'i' && script::spells_integer(rest, number)) out = Value::of(number);
    else return wrong;
    return {};
}

}  // namespace

std::span<const Variable> shared_variables() { return kVariables; }
std::span<const Command> shared_variable_commands() { return kCommands; }

Status set_shared_from_parameter(const ParamValue& value) {
    std::string_view name;
    Value given;
    if (Status read = read_assignment(value, name, given); !read) return read;
    return set(all()[index_of(name)], given);
}
Status set_private_from_parameter(const ParamValue& value) {
    std::string_view name;
    Value given;
    if (Status read = read_assignment(value, name, given); !read) return read;
    script::set_script_variable(name, given);
    return {};
}

std::span<const mem::Part> shared_variable_parts() {
    static mem::Part wanted[1];
    if (all().empty()) return {};
    wanted[0] = {kPartName, all().size() * sizeof(SharedCell), [](void* at, size_t) {
                     auto* cell = static_cast<SharedCell*>(at);
                     for (size_t i = 0; i < all().size(); ++i) std::construct_at(cell + i);
                 }};
    return wanted;
}

Status start_shared_variables() {
    auto* const cells = static_cast<SharedCell*>(mem::part(kPartName));
    for (size_t i = 0; cells != nullptr && i < all().size(); ++i) {
        Named& each = all()[i];
        each.shared = cells + i;
        auto access = each.shared->lock();
        *access = each.own;
    }
    return {};
}

}  // namespace kahu::pv
