// core/script/regex_transformations.cpp -- $(fU{re.subst,/^0+/+49/}).
#include "core/base/text.h"
#include "core/script/run.h"
#include "core/script/substitution.h"
#include "core/script/transformation.h"

namespace kahu::script {
namespace {

using Use = TransformationUse;

Status prepare_substitution(Use& use, const Scope& scope) {
    auto made = Substitution::parse(text::trim(use.arguments[0].text), &scope);
    if (!made) return std::move(made).error();
    use.prepared = std::make_shared<const Substitution>(*std::move(made));
    return {};
}
Value substitute(Run& run, const Use& use, const Value& value) {
    if (value.is_null()) return value;
    std::string_view out;
    (void)static_cast<const Substitution*>(use.prepared.get())->apply(run, to_text(value, run.arena()), out);
    return Value::of(out);
}

constexpr Transformation kRows[] = {
    {"re.subst", 1, 1, ",/pattern/replacement/flags", "What the regular expression matches, replaced; flags g, i, s.",
     substitute, prepare_substitution, true},
};

}  // namespace

std::span<const Transformation> regex_transformations() { return kRows; }

}  // namespace kahu::script
