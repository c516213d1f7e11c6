#include "core/modules/debugger/trace.h"

#include <fmt/format.h>

#include <atomic>
#include <new>

#include "core/base/log_rules.h"
#include "core/modules/debugger/settings.h"
#include "core/modules/debugger/stops.h"
#include "core/proc/process_table.h"
#include "core/proc/settings.h"
#include "core/script/trace.h"
#include "core/script/variable.h"
#include "mem/slot.h"

namespace kahu::debugger {
namespace {

using script::Run;
using script::TracePoint;

std::atomic<uint32_t>* g_restarts = nullptr;  // in the segment

void write(std::string_view line) {
    const auto level = static_cast<log::Level>(settings.log_level.get());
    if (level > log::common_level()) return;
    const std::string& facility = settings.log_facility.get();
    log::emit_named(level, settings.log_level_name.get(), facility.empty() ? -1 : proc::syslog_facility(facility),
                    line);
}

void number_anew(Run& run) {
    static uint32_t seen = 0;
    if (g_restarts == nullptr || seen == g_restarts->load(std::memory_order_relaxed)) return;
    seen = g_restarts->load(std::memory_order_relaxed);
    script::message_number_base() = run.number() - 1;
}

void step(Run& run, const TracePoint& point) {
    number_anew(run);
    if (switched_on(kTraces)) {
        const std::string file = settings.cfgtrace_format == 0 ? fmt::format(" c=[{}]", point.file) : std::string();
        write(fmt::format("{}dbg_cfg_trace(): {}=[{}]{} l={} a={} n={}", settings.log_prefix.get(),
                          script::route_kind_name(run), point.route, file, point.line, point.action, point.name));
    }
    if (switched_on(kStops) && proc::process(mem::current_slot()).status != proc::ProcessStatus::stopping)
        stop_here(run, point);
}

void assigned(Run&, const script::VariableUse& use, const script::Value& value) {
    std::string line = fmt::format("{}${}", settings.log_prefix.get(), use.name);
    if (use.has_inner) line += fmt::format("({})", use.inner);
    if (value.is_null()) line += ": $null";
    else if (value.is_text()) line += fmt::format(":\"{}\"", value.text);
    else line += fmt::format(":{}", value.number);
    write(line);
}

constexpr script::Tracer kSteps{step, nullptr}, kStepsAndValues{step, assigned};

}  // namespace

void trace_scripts() { script::set_tracer(settings.log_assign != 0 ? &kStepsAndValues : &kSteps); }

void restart_message_numbers() { g_restarts->fetch_add(1); }

std::span<const mem::Part> message_number_parts() {
    static const mem::Part part{"debugger_numbers", sizeof(std::atomic<uint32_t>),
                                [](void* at, size_t) { g_restarts = ::new (at) std::atomic<uint32_t>(0); }};
    return {&part, 1};
}

}  // namespace kahu::debugger
