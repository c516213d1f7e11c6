// A value of a message, through every transformation that scripts may put it to, with several arguments each.
#include "core/script/transformation.h"

#include <map>
#include <string>

#include "core/script/run.h"
#include "core/script/scope.h"
#include "test/fuzz/expect.h"

namespace {

using namespace kahu;
using namespace kahu::script;

// As written in scripts: indices at and beyond both ends, separators, names, a regular expression.
constexpr std::string_view kArguments[] = {"0", "1", "-1", "99", ";", "a", "x-y", "/(.)b*/\\1\\1-/g"};

using Uses = std::multimap<std::string_view, TransformationUse>;  // by name

void add(Uses& uses, const Transformation& row, const std::string& written) {
    static const Scope scope({}, {});
    auto use = compile_transformation(written, scope, "fuzz");
    if (use) uses.emplace(row.name, std::move(*use));
}

Uses all_uses() {
    Uses uses;
    for (const auto& table : transformation_tables()) {
        for (const Transformation& row : table) {
            if (row.min_args == 0) add(uses, row, std::string(row.name));
            for (const std::string_view first : kArguments) {
                const std::string one = std::string(row.name) + "," + std::string(first);
                if (row.max_args >= 1 && row.min_args <= 1) add(uses, row, one);
                for (const std::string_view second : kArguments)
                    if (row.max_args >= 2) add(uses, row, one + "," + std::string(second));
            }
            FUZZ_EXPECT(uses.count(row.name) > 0);
        }
    }
    return uses;
}

Value apply(const Uses& uses, Run& run, std::string_view name, const Value& value) {
    const TransformationUse& use = uses.find(name)->second;
    return use.row->apply(run, use, value);
}

// What one makes, the other takes back.
constexpr std::pair<std::string_view, std::string_view> kOpposites[] = {
    {"s.encode.hexa", "s.decode.hexa"},
    {"s.encode.base64", "s.decode.base64"},
    {"s.encode.base64t", "s.decode.base64t"},
    {"s.encode.base64url", "s.decode.base64url"},
    {"s.encode.base64urlt", "s.decode.base64urlt"},
    {"s.escape.user", "s.unescape.user"},
    {"s.escape.param", "s.unescape.param"},
    {"s.escape.common", "s.unescape.common"},
    {"s.urlencode.param", "s.urldecode.param"},
    {"urlencode.param", "urldecode.param"},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const Uses uses = all_uses();
    static sip::Message message;
    static Run run;
    if (size > 8192) return 0;
    const std::string text(fuzz::text_of(data, size));  // of its own: reading past its end is seen
    run.begin(message, {}, kRequestRoute);
    for (const auto& [name, use] : uses) {
        const Value made = use.row->apply(run, use, Value::of(text));
        FUZZ_EXPECT(!made.is_text() || made.text.size() <= 1024 + 64 * size * size);
    }
    for (const auto& [there, back] : kOpposites) {
        const Value made = apply(uses, run, there, Value::of(text));
        if (made.is_null()) continue;
        FUZZ_EXPECT(apply(uses, run, back, made).text == text);
    }
    return 0;
}
