// core/modules/sanity/module.cpp -- read this file to know what sanity offers.
#include "core/modules/sanity/module.h"

#include <fmt/format.h>

#include "core/modules/sanity/checks.h"
#include "core/script/function.h"
#include "core/script/reply.h"
#include "core/script/run.h"

namespace kahu::sanity {
namespace {

using script::Args;
using script::Run;

IntSetting g_default_checks{kDefaultChecks};
IntSetting g_uri_checks{kDefaultUris};
IntSetting g_autodrop{1};
IntSetting g_noreply{0};
TextSetting g_proxy_require;

// What sanity_reply() answers later: for the message with that number.
struct Remembered {
    uint64_t message = 0;
    Fault fault;
} g_remembered;

Status prepare(Args& args) {
    for (size_t i = 0; i < args.size(); ++i) {
        const script::Value* const value = args.constant(i);
        int64_t number = value == nullptr ? 0 : value->number;
        if (value != nullptr && value->is_text() && !script::spells_integer(value->text, number))
            return Error{Errc::invalid, "the checks are a sum of numbers", "sanity_check(\"17895\", \"7\")"};
    }
    return {};
}

int sanity_check(Run& run, const Args& args) {
    const Checks wanted{static_cast<uint32_t>(args.number(run, 0, g_default_checks)),
                        static_cast<uint32_t>(args.number(run, 1, g_uri_checks)), g_proxy_require.get()};
    std::string unsupported;
    const Fault fault = check(run.message(), wanted, unsupported);
    if (!fault) return 1;
    g_remembered = {run.id(), fault};
    if (run.is_request() && g_noreply == 0)
        (void)script::reply_stateless(run, fault.status, {.reason = fault.reason, .extra_headers = unsupported});
    return g_autodrop != 0 ? 0 : -1;
}

int sanity_reply(Run& run, const Args&) {
    if (g_remembered.message != run.id() || !run.is_request()) return -1;
    const Fault& fault = g_remembered.fault;
    return script::reply_stateless(run, fault.status, {.reason = fault.reason}) ? 1 : -1;
}

constexpr Function kFunctions[] = {
    {"sanity_check", 0, 2, "([int checks[, int uris]])",
     "True if the message is sound; else a request is answered, and the result is false, or the script ends with "
     "autodrop.",
     kRequestRoute | kReplyRoute | kFailureRoute | kEventRoute, sanity_check, prepare},
    {"sanity_reply", 0, 0, "()", "With noreply: answers what the last sanity_check() found.",
     kRequestRoute | kEventRoute, sanity_reply},
};

const Param kParams[] = {
    {.name = "default_checks",
     .number = &g_default_checks,
     .min = 0,
     .max = 32767,
     .help = "Checks of sanity_check() without arguments, as a sum: see the description."},
    {.name = "uri_checks",
     .number = &g_uri_checks,
     .min = 0,
     .max = 15,
     .help = "URIs that are parsed: 1 Request-URI, 2 From, 4 To, 8 Contact."},
    {.name = "proxy_require",
     .kind = ParamKind::text,
     .text = &g_proxy_require,
     .help = "Option tags that Proxy-Require may hold, with commas between them."},
    {.name = "autodrop", .number = &g_autodrop, .min = 0, .max = 1, .help = "Whether a failed check ends the script."},
    {.name = "noreply",
     .number = &g_noreply,
     .min = 0,
     .max = 1,
     .help = "Whether a failed check is left for sanity_reply() to answer."},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "sanity",
    .summary = "Checks whether a message is sound before the script works with it.",
    .params = kParams,
    .functions = kFunctions,
    .description =
        "Checks are bits: 1 version in the request line, 2 scheme of the Request-URI, 4 required headers, 32 method "
        "and "
        "64 number in CSeq, 128 Content-Length, 256 Expires, 512 Proxy-Require, 1024 URIs (which ones: second "
        "argument), "
        "2048 digest credentials, 4096 tags twice, 16384 the top Via. The bits 8, 16 and 8192 are accepted and check "
        "nothing.\n\n"
        "Messages that cannot be routed at all are answered before the script runs; this module finds the rest.",
};

}  // namespace kahu::sanity
