// core/modules/pv/module.cpp -- read this file to know what pv offers.
#include "core/modules/pv/module.h"

#include <fmt/format.h>

#include <vector>

#include "core/modules/pv/buffer_variables.h"
#include "core/modules/pv/evaluate.h"
#include "core/modules/pv/list_functions.h"
#include "core/modules/pv/message_variables.h"
#include "core/modules/pv/process_variables.h"
#include "core/modules/pv/shared_variables.h"
#include "core/modules/pv/static_branch.h"
#include "core/modules/pv/time_variables.h"
#include "core/script/avp_param.h"
#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::pv {
namespace {

using script::Args;
using script::Run;
using script::truth;
using script::Value;

int is_set(Run& run, const Args& args) { return truth(!args.value(run, 0).is_null()); }
int not_empty(Run& run, const Args& args) { return truth(!args.text(run, 0).empty()); }
int is_int(Run& run, const Args& args) {
    const Value value = args.value(run, 0);
    return truth(value.is_integer() || value.numeric);
}

std::string_view type_of(const Value& value) { return value.is_null() ? "null" : value.is_integer() ? "int" : "str"; }
Status prepare_typeof(Args& args) {
    const Value* const type = args.constant(1);
    if (type != nullptr && (!type->is_text() || (type->text != "int" && type->text != "str" && type->text != "null")))
        return Error{Errc::invalid, "not a type", "int, str or null"};
    return {};
}
int has_type(Run& run, const Args& args) { return truth(type_of(args.value(run, 0)) == args.text(run, 1)); }

constexpr Function kFunctions[] = {
    {"pv_isset", 1, 1, "(variable)", "True if the variable has a value.", kAnyRoute, is_set},
    {"not_empty", 1, 1, "(variable)", "True if the variable's text is not empty.", kAnyRoute, not_empty},
    {"is_int", 1, 1, "(variable)",
     "True if the variable is an integer; text that spells one is none, but for $rp, $cs and their like.", kAnyRoute,
     is_int},
    {"typeof", 2, 2, "(variable, string type)", "True if the variable is of that type: int, str or null.", kAnyRoute,
     has_type, prepare_typeof},
};

const Param kParams[] = {
    {.name = "shvset",
     .kind = ParamKind::custom,
     .accept = set_shared_from_parameter,
     .help = "First value of a $shv(): \"name=i:5\" or \"name=s:text\"; may be given several times.",
     .default_text = "0 for all"},
    {.name = "varset",
     .kind = ParamKind::custom,
     .accept = set_private_from_parameter,
     .help = "First value of a $var(), in the same way.",
     .default_text = "0 for all"},
    {.name = "avp_aliases",
     .kind = ParamKind::custom,
     .accept = script::add_avp_aliases,
     .help = "Other names of $avp(): with \"a=s:b;c=i:5\" $avp(a) is $avp(b).",
     .default_text = "none"},
};

std::vector<Variable> all_variables() {
    std::vector<Variable> all;
    for (const auto table : {time_variables(), process_variables(), shared_variables(), message_variables(),
                             buffer_variables(), static_branch_variables()})
        all.insert(all.end(), table.begin(), table.end());
    return all;
}
const std::vector<Variable> g_variables = all_variables();

std::vector<Function> all_functions() {
    std::vector<Function> all(std::begin(kFunctions), std::end(kFunctions));
    for (const auto more : {list_functions(), list_copy_functions(), static_branch_functions(), evaluate_functions()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}
const std::vector<Function> g_functions = all_functions();

}  // namespace

const ModuleDescriptor kModule{
    .name = "pv",
    .summary = "Variables of time, process and credentials, and variables that all processes share.",
    .params = kParams,
    .functions = g_functions,
    .variables = g_variables,
    .commands = shared_variable_commands(),
    .hooks = {.parts = shared_variable_parts, .start = start_shared_variables},
    .description =
        "The variables of the message, $var() and $avp() need no module here; a configuration may load pv all the "
        "same, as Kamailio asks for it.\n\n"
        "$shv(name) is one value for all processes, kept until the server stops. A text may have 1000 bytes.",
};

}  // namespace kahu::pv
