#include <fmt/format.h>

#include <vector>

#include "core/base/text.h"
#include "core/modules/htable/script.h"
#include "core/modules/htable/table.h"
#include "core/script/arena.h"
#include "core/script/regex.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::htable {
namespace {

using script::Run;
using script::Value;
using script::VariableUse;

// The table's name stands before the first "=>" and is never made of variables: it is known at start.
Status prepare(VariableUse& use) {
    const size_t arrow = use.inner.find("=>");
    const std::string name(text::trim(std::string_view(use.inner).substr(0, arrow)));
    if (arrow == use.inner.npos || name.empty())
        return Error{Errc::invalid, fmt::format("${}({}) names no table and key", use.name, text::printable(use.inner)),
                     fmt::format("${}(table=>key)", use.name)};
    Table* const table = find_table(name);
    if (table == nullptr)
        return Error{Errc::not_found, fmt::format("there is no table '{}'", text::printable(name)),
                     fmt::format("modparam(\"htable\", \"htable\", \"{}=>size=8;\")", text::printable(name))};
    use.prepared = std::shared_ptr<void>(std::shared_ptr<void>(), table);
    return {};
}
Table& table_of(const VariableUse& use) { return *static_cast<Table*>(use.prepared.get()); }
std::string_view key_of(Run& run, const VariableUse& use) {
    const std::string_view whole = use.inner_text(run);
    const size_t arrow = whole.find("=>");
    return arrow == whole.npos ? std::string_view() : whole.substr(arrow + 2);
}

Value get(Run& run, const VariableUse& use) {
    static Copy copy;
    Table& table = table_of(use);
    if (!table.get(key_of(run, use), copy))
        return table.config().initial ? Value::of(*table.config().initial) : Value::none();
    return copy.is_text ? Value::of(run.arena().copy(copy.text)) : Value::of(copy.number);
}
Status set(Run& run, const VariableUse& use, const Value& value) {
    Table& table = table_of(use);
    const std::string_view key = key_of(run, use);
    if (value.is_null()) {
        table.remove(key);
        return {};
    }
    if (table.set(key, value)) return {};
    return Error{Errc::no_memory, "the item was not stored: too long, or the segment is full",
                 "start with a larger -m"};
}

Value get_seconds_left(Run& run, const VariableUse& use) {
    static Copy copy;
    if (!table_of(use).get(key_of(run, use), copy)) return Value::of(int64_t{0});
    return Value::of(std::max<int64_t>(copy.seconds_left, 0));
}
Status set_seconds_left(Run& run, const VariableUse& use, const Value& value) {
    table_of(use).set_seconds_left(key_of(run, use), script::to_integer(value));
    return {};
}

template <int by>
Value add(Run& run, const VariableUse& use) {
    const auto sum = table_of(use).add(key_of(run, use), by);
    return sum ? Value::of(*sum) : Value::none();
}

// $shtcn(table=>pattern): "~regex", "~%prefix", or the whole text.
template <bool of_key>
Value count(Run& run, const VariableUse& use) {
    const std::string_view pattern = key_of(run, use);
    const bool prefix = pattern.starts_with("~%");
    const auto regex = !prefix && pattern.starts_with('~') ? script::cached_regex(pattern.substr(1)) : nullptr;
    int64_t found = 0;
    table_of(use).filter([&](const Copy& item, uint32_t) {
        if (!of_key && !item.is_text) {
            found += std::to_string(item.number) == pattern;
            return true;
        }
        const std::string_view text = of_key ? item.key : item.text;
        const bool matches = prefix             ? text.starts_with(pattern.substr(2))
                             : regex != nullptr ? regex->matches(text)
                                                : text == pattern;
        found += matches;
        return true;
    });
    return Value::of(found);
}

constexpr Variable kVariables[] = {
    {"sht", "$sht(table=>key): the item's value; null or initval if there is none. $null removes it.", get, set,
     prepare},
    {"shtex", "$shtex(table=>key): seconds the item has left; 0 if it never ends, or is not there.", get_seconds_left,
     set_seconds_left, prepare},
    {"shtinc", "$shtinc(table=>key): adds one and gives the result; no other process comes between.", add<1>, nullptr,
     prepare},
    {"shtdec", "$shtdec(table=>key): takes one away and gives the result.", add<-1>, nullptr, prepare},
    {"shtcn", "$shtcn(table=>pattern): how many keys are the text, match ~regex, or begin with ~%prefix.", count<true>,
     nullptr, prepare},
    {"shtcv", "$shtcv(table=>pattern): the same for values.", count<false>, nullptr, prepare},
};

}  // namespace

std::span<const Variable> variables() {
    static const std::vector<Variable> all = [] {
        std::vector<Variable> rows(std::begin(kVariables), std::end(kVariables));
        rows.insert(rows.end(), iterator_variables().begin(), iterator_variables().end());
        return rows;
    }();
    return all;
}

}  // namespace kahu::htable
