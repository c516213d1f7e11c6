#include "core/script/trace.h"

#include "core/script/run.h"

namespace kahu::script {
namespace {
const Tracer* g_tracer = nullptr;
}

void set_tracer(const Tracer* tracer) { g_tracer = tracer; }
const Tracer* tracer() { return g_tracer; }

std::vector<NamedVariable>& traced_variables() {
    static std::vector<NamedVariable> all;
    return all;
}

uint64_t& message_number_base() {
    static uint64_t base = 0;
    return base;
}

TracedEnvironment& traced_environment() {
    static TracedEnvironment last;
    return last;
}

std::string_view route_kind_name(const Run& run) {
    switch (run.kind()) {
    case kReplyRoute: return "onreply_route";
    case kFailureRoute: return "failure_route";
    case kBranchRoute: return "branch_route";
    case kOnsendRoute: return "onsend_route";
    case kEventRoute: return "event_route";
    default: return "request_route";
    }
}

}  // namespace kahu::script
