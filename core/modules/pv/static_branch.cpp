#include "core/modules/pv/static_branch.h"

#include <string>
#include <string_view>

#include "core/script/branch_parts.h"
#include "core/script/branches.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::pv {
namespace {

using script::Args;
using script::Branch;
using script::Run;
using script::Value;
using Use = script::VariableUse;

// The branch's texts outlive the message that they were made of: each is kept in a string of its own.
constexpr std::string_view Branch::*const kTexts[] = {&Branch::uri,      &Branch::dst_uri, &Branch::path,
                                                      &Branch::instance, &Branch::ruid,    &Branch::user_agent};
struct StaticBranch {
    Branch branch;
    std::string texts[std::size(kTexts)];

    void keep_texts() {
        for (size_t i = 0; i < std::size(kTexts); ++i) {
            std::string_view& text = branch.*kTexts[i];
            if (text.data() != texts[i].data()) texts[i] = text;
            text = texts[i];
        }
    }
};
StaticBranch g_static;

// What a message keeps of it lives as long as the message.
Branch copy_for(Run& run) {
    Branch copy = g_static.branch;
    for (const auto text : kTexts) copy.*text = run.arena().copy(copy.*text);
    return copy;
}

Value get(Run& run, const Use& use) {
    if (script::is_branch_count(use.number)) return Value::of(int64_t{0});
    if (g_static.branch.uri.empty()) return Value::none();  // Kamailio's has no parts before it has a URI
    const Value value = script::branch_part(run, g_static.branch, use.number);
    return value.is_text() ? Value::of(run.arena().copy(value.text)) : value;
}
Status set(Run& run, const Use& use, const Value& value) {
    if (script::is_branch_count(use.number)) return Error{Errc::invalid, "count cannot be set", ""};
    Status done = script::set_branch_part(run, g_static.branch, use.number, value);
    g_static.keep_texts();
    return done;
}

int use_for_request_uri(Run& run, const Args&) {
    if (g_static.branch.uri.empty() || !run.is_request()) return -1;
    run.set_request_uri(g_static.branch.uri);
    run.set_destination_uri(g_static.branch.dst_uri);
    Branch& main = run.branches.main();
    main = copy_for(run);
    main.uri = main.dst_uri = {};  // $ru and $du are their place
    return 1;
}
int append(Run& run, const Args&) {
    if (g_static.branch.uri.empty()) return -1;
    return run.branches.add(copy_for(run)) ? 1 : -1;
}
int reset(Run&, const Args&) {
    g_static.branch = {};
    return 1;
}

constexpr Variable kVariables[] = {
    {"sbranch", "Parts of a branch that the script puts together: as $branch(); see sbranch_append().", get, set,
     script::prepare_branch_part},
};
constexpr Function kFunctions[] = {
    {"sbranch_set_ruri", 0, 0, "()", "Makes $sbranch() the Request-URI's branch; false if it has no uri.", kAnyRoute,
     use_for_request_uri},
    {"sbranch_append", 0, 0, "()", "Adds $sbranch() as one more branch; false if it has no uri.", kAnyRoute, append},
    {"sbranch_reset", 0, 0, "()", "Empties $sbranch().", kAnyRoute, reset},
};

}  // namespace

std::span<const Variable> static_branch_variables() { return kVariables; }
std::span<const Function> static_branch_functions() { return kFunctions; }

}  // namespace kahu::pv
