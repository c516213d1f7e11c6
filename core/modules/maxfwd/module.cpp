// core/modules/maxfwd/module.cpp -- read this file to know what maxfwd offers.
#include "core/modules/maxfwd/module.h"

#include <fmt/format.h>

#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::maxfwd {
namespace {

IntSetting g_max_limit{256};

// Kamailio's return values of mf_process_maxfwd_header().
constexpr int kDecremented = 1, kAdded = 2, kTooManyHops = -1, kMalformed = -2;
constexpr int64_t kMostHops = 255;  // RFC 3261 20.22

Status prepare_hops(script::Args& args) {
    const script::Value* const hops = args.constant(0);
    if (hops == nullptr) return {};
    int64_t number = hops->number;
    if ((hops->is_text() && !script::spells_integer(hops->text, number)) || number < 0 || number > kMostHops)
        return Error{Errc::invalid, "not a number of hops", "0 to 255"};
    return {};
}

int process(script::Run& run, const script::Args& args) {
    const sip::Message& message = run.message();
    const sip::HeaderField* const field = message.first(sip::HeaderId::max_forwards);
    if (field == nullptr) {
        const int64_t hops = args.number(run, 0);
        if (hops < 0 || hops > kMostHops) return kMalformed;
        char line[32];
        const auto end = fmt::format_to_n(line, sizeof line, "Max-Forwards: {}\r\n", hops);
        run.edits.prepend_header(message, {line, end.size});
        return kAdded;
    }
    const auto hops = message.max_forwards();
    if (!hops) return kMalformed;
    if (*hops == 0) {
        run.last_error = 483;
        return kTooManyHops;
    }
    const int64_t left = std::min<int64_t>(*hops - 1, g_max_limit);
    run.edits.replace_part(message, field->value, run.arena().decimal(left));
    return kDecremented;
}

int is_less(script::Run& run, const script::Args& args) {
    const auto hops = run.message().max_forwards();
    return hops && *hops < args.number(run, 0) ? 1 : -1;
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"mf_process_maxfwd_header", 1, 1, "(int hops)",
     "Takes one from Max-Forwards: 1; adds the header: 2; false (-1) if it is 0 already, (-2) if it is malformed.",
     kRequests, process, prepare_hops},
    {"process_maxfwd", 1, 1, "(int hops)", "The same as mf_process_maxfwd_header().", kRequests, process, prepare_hops},
    {"maxfwd_process", 1, 1, "(int hops)", "The same as mf_process_maxfwd_header().", kRequests, process, prepare_hops},
    {"is_maxfwd_lt", 1, 1, "(int hops)", "True if Max-Forwards is there and less than that.", kRequests, is_less,
     prepare_hops},
    {"maxfwd_at_least", 1, 1, "(int hops)", "The same as is_maxfwd_lt().", kRequests, is_less, prepare_hops},
    {"mf_lowlimit", 1, 1, "(int hops)", "The same as is_maxfwd_lt().", kRequests, is_less, prepare_hops},
};

const Param kParams[] = {
    {.name = "max_limit",
     .number = &g_max_limit,
     .min = 1,
     .max = 256,
     .unit = "hops",
     .help = "What a larger Max-Forwards is reduced to; 256 means no limit.",
     .applies = Applies::at_runtime},
};

}  // namespace

const ModuleDescriptor kModule{
    .name = "maxfwd",
    .summary = "Max-Forwards: counts the hops a request may still take.",
    .params = kParams,
    .functions = kFunctions,
    .description =
        "A proxy takes one from Max-Forwards before it forwards a request and answers 483 when there is nothing "
        "to take from (RFC 3261 16.3 and 16.6).",
};

}  // namespace kahu::maxfwd
