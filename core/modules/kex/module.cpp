// core/modules/kex/module.cpp -- read this file to know what kex offers.
#include "core/modules/kex/module.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <random>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/proc/settings.h"
#include "core/script/function.h"
#include "core/script/message_facts.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::kex {
namespace {

using script::Args;
using script::Run;
using script::truth;

constexpr int64_t kMostFlags = 32;

Status prepare_flag(Args& args) {
    const script::Value* const flag = args.constant(0);
    if (flag == nullptr) return {};
    int64_t number = flag->number;
    const bool is_number = !flag->is_text() || script::spells_integer(flag->text, number);
    if (!is_number || number < 0 || number >= kMostFlags) return Error{Errc::invalid, "no such flag", "0 to 31"};
    return {};
}
uint32_t bit(Run& run, const Args& args) {
    const int64_t number = args.number(run, 0, -1);
    return number < 0 || number >= kMostFlags ? 0 : uint32_t{1} << number;
}

// --- script flags: they begin at zero for every message ---------------------------------------------------
int set_script_flag(Run& run, const Args& args) {
    run.script_flags |= bit(run, args);
    return 1;
}
int reset_script_flag(Run& run, const Args& args) {
    run.script_flags &= ~bit(run, args);
    return 1;
}
int is_script_flag_set(Run& run, const Args& args) { return truth((run.script_flags & bit(run, args)) != 0); }

// --- branch flags: of the Request-URI's branch (0), or of a further one -----------------------------------
uint32_t* branch_flags(Run& run, const Args& args) {
    const int64_t branch = args.number(run, 1, 0);
    if (branch == 0) return &run.branches.main().flags;
    const auto others = run.branches.others();
    return branch < 0 || static_cast<size_t>(branch) > others.size() ? nullptr
                                                                     : &others[static_cast<size_t>(branch) - 1].flags;
}
int set_branch_flag(Run& run, const Args& args) {
    uint32_t* const flags = branch_flags(run, args);
    if (flags != nullptr) *flags |= bit(run, args);
    return truth(flags != nullptr);
}
int reset_branch_flag(Run& run, const Args& args) {
    uint32_t* const flags = branch_flags(run, args);
    if (flags != nullptr) *flags &= ~bit(run, args);
    return truth(flags != nullptr);
}
int is_branch_flag_set(Run& run, const Args& args) {
    const uint32_t* const flags = branch_flags(run, args);
    return truth(flags != nullptr && (*flags & bit(run, args)) != 0);
}

// --- destination ---------------------------------------------------------------------------------------------
int set_destination(Run& run, const Args& args) {
    sip::Uri uri;
    const std::string_view text = args.text(run, 0);
    if (script::parse_into(text, uri) == nullptr || !uri.is_sip()) return -1;
    run.set_destination_uri(text);
    return 1;
}
int reset_destination(Run& run, const Args&) {
    run.set_destination_uri({});
    return 1;
}
int is_destination_set(Run& run, const Args&) { return truth(!run.destination_uri().empty()); }

int is_myself(Run& run, const Args& args) {
    sip::Uri uri;
    return truth(script::parse_into(args.text(run, 0), uri) != nullptr && script::is_myself(uri));
}

// --- log level of this process alone -----------------------------------------------------------------------------
int64_t g_own_level = 0;
int set_debug(Run& run, const Args& args) {
    g_own_level = args.number(run, 0);
    log::share_level(&g_own_level);
    return 1;
}
int reset_debug(Run&, const Args&) {
    log::share_level(proc::settings.debug.cell());
    return 1;
}

// $sruid: no other message, process or start of the server gets the same.
script::Value unique_id(Run& run, const script::VariableUse&) {
    static uint64_t count = 0;
    static pid_t owner = 0;
    static uint32_t random = 0;
    if (owner != getpid()) {
        owner = getpid();
        random = std::random_device{}();
    }
    return script::Value::of(
        run.arena().copy(fmt::format("srid-{:x}-{:x}-{:x}-{:x}", std::time(nullptr), owner, random, ++count)));
}
constexpr Variable kVariables[] = {{"sruid", "A text that is used once: a new one each time.", unique_id}};

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;
constexpr std::string_view kFlag = "(int flag)", kBranchFlag = "(int flag[, int branch])";

constexpr Function kFunctions[] = {
    {"setsflag", 1, 1, kFlag, "Sets a flag that lasts for this run of the script.", kAnyRoute, set_script_flag,
     prepare_flag},
    {"resetsflag", 1, 1, kFlag, "Clears such a flag.", kAnyRoute, reset_script_flag, prepare_flag},
    {"issflagset", 1, 1, kFlag, "True if such a flag is set.", kAnyRoute, is_script_flag_set, prepare_flag},
    {"setbflag", 1, 2, kBranchFlag, "Sets a flag of a branch; branch 0 is the Request-URI's.", kAnyRoute,
     set_branch_flag, prepare_flag},
    {"resetbflag", 1, 2, kBranchFlag, "Clears a flag of a branch.", kAnyRoute, reset_branch_flag, prepare_flag},
    {"isbflagset", 1, 2, kBranchFlag, "True if the flag of the branch is set.", kAnyRoute, is_branch_flag_set,
     prepare_flag},
    {"setdsturi", 1, 1, "(string uri)", "Sets the destination URI, $du.", kRequests, set_destination},
    {"resetdsturi", 0, 0, "()", "Removes the destination URI.", kRequests, reset_destination},
    {"isdsturiset", 0, 0, "()", "True if there is a destination URI.", kRequests, is_destination_set},
    {"is_myself", 1, 1, "(string uri)", "True if the URI's host and port are this server.", kAnyRoute, is_myself},
    {"setdebug", 1, 1, "(int level)", "Sets the log level of this process alone.", kAnyRoute, set_debug},
    {"resetdebug", 0, 0, "()", "Follows the server's log level again.", kAnyRoute, reset_debug},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "kex",
    .summary = "Flags of scripts and branches, the destination URI, the log level.",
    .functions = kFunctions,
    .variables = kVariables,
    .description = "The RPC commands core.*, stats.*, mod.* and pkg.* that Kamailio keeps in kex need no module here.",
};

}  // namespace kahu::kex
