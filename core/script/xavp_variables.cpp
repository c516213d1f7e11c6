// core/script/xavp_variables.cpp -- $xavp(a=>b), $xavu(a), $xavi(A=>B).
#include <fmt/format.h>

#include "core/base/text.h"
#include "core/script/core_variables.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

using Use = VariableUse;
using List = Xavps::List;

Error not_a_path(const Use& use, std::string_view text) {
    return {Errc::invalid, fmt::format("\"{}\" is not what ${} takes", text::printable(text, 60), use.name),
            fmt::format("${0}(name), ${0}(list=>name), ${0}(list[0]=>name[1])", use.name)};
}
Status prepare(Use& use) {
    if (use.inner_format == nullptr && !XavpPath::parse(use.inner)) return not_a_path(use, use.inner);
    return {};
}
// $(xavp(a)[1]) is $xavp(a[1]).
std::optional<XavpPath> path_of(Run& run, const Use& use) {
    auto path = XavpPath::parse(use.inner_text(run));
    if (!path) return path;
    XavpStep& last = path->steps[path->count - 1];
    if (const auto index = use.index(run)) last.index = index;
    if (use.index_kind == Use::Index::all) last.all = true;
    return path;
}

template <List list>
Value get(Run& run, const Use& use) {
    const auto path = path_of(run, use);
    const Xavps::Entry* const found = path ? run.xavps.find(list, *path) : nullptr;
    if (found == nullptr) return Value::none();
    if (!found->is_list) return found->value;
    TextBuilder out(run.arena());
    return Value::of(out.append("<<xavp:").append(found->name).append(">>").take());
}
template <List list>
Status set(Run& run, const Use& use, const Value& value) {
    const auto path = path_of(run, use);
    return path ? run.xavps.set(list, *path, value, run.arena()) : Status(not_a_path(use, use.inner_text(run)));
}

constexpr Variable kVariables[] = {
    {"xavp", "Values and lists of values that live as long as the message; several of one name, the newest first.",
     get<List::several>, set<List::several>, prepare},
    {"xavu", "As $xavp, one value for each name.", get<List::unique>, set<List::unique>, prepare},
    {"xavi", "As $xavp, names in either case.", get<List::any_case>, set<List::any_case>, prepare},
};

}  // namespace

std::span<const Variable> xavp_variables() { return kVariables; }

}  // namespace kahu::script
