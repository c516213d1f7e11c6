#include "core/modules/pv/evaluate.h"

#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/log_limit.h"
#include "core/script/format.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/scope.h"
#include "core/script/trace.h"

namespace kahu::pv {
namespace {

using script::Format;

// Null: it was told why.
std::shared_ptr<const Format> compiled(std::string_view text) {
    static std::unordered_map<std::string, std::shared_ptr<const Format>> known;
    if (text.size() > kLongestText) {
        LOG_AT_MOST(1, warn, "pv.text_too_long", kv("bytes", text.size()), kv("limit", kLongestText));
        return nullptr;
    }
    const std::string key(text);
    if (const auto found = known.find(key); found != known.end()) return found->second;
    const script::Scope scope(script::traced_environment().loaded, script::traced_environment().available);
    auto format = Format::compile(text, scope, "pv_evalx");
    if (!format) {
        LOG_AT_MOST(1, warn, "pv.text_not_evaluated", kv("reason", format.error().text()));
        return nullptr;
    }
    if (known.size() >= kMostTexts) known.clear();
    return known[key] = *format;
}

Status prepare(script::Args& args) { return args.require_assignable(0); }

int evaluate(script::Run& run, const script::Args& args) {
    const std::shared_ptr<const Format> format = compiled(args.text(run, 1));
    if (format == nullptr) return -1;
    return args.assign(run, 0, script::Value::of(run.arena().copy(format->text(run)))) ? 1 : -1;
}

constexpr Function kFunctions[] = {
    {"pv_evalx", 2, 2, "(variable, string text)",
     "Sets the variable to the text whose variables are replaced, and replaced once more in the result.", kAnyRoute,
     evaluate, prepare},
};

}  // namespace

std::span<const Function> evaluate_functions() { return kFunctions; }

}  // namespace kahu::pv
