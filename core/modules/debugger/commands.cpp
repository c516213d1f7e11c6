#include "core/modules/debugger/commands.h"

#include <fmt/format.h>

#include "core/modules/debugger/levels.h"
#include "core/modules/debugger/settings.h"
#include "core/modules/debugger/stops.h"
#include "core/modules/debugger/trace.h"
#include "core/proc/process_table.h"

namespace kahu::debugger {
namespace {

constexpr std::string_view kDone = "200 ok";

// The slots that a trailing pid means; all without one.  Empty after a fault.
std::vector<int> slots_asked_for(RpcCall& call, bool one_only = false) {
    std::vector<int> slots;
    if (!call.more() && one_only) {
        call.fault(500, "Missing pid parameter");
        return slots;
    }
    const auto pid = call.next_int_or(0);
    if (!pid) return slots;
    for (int slot = 0; slot < proc::process_count(); ++slot)
        if (*pid == 0 || proc::process(slot).pid == *pid) slots.push_back(slot);
    if (slots.empty()) call.fault(500, "No such pid");
    return slots;
}

void list(RpcCall& call) {
    for (const int slot : slots_asked_for(call)) {
        const Standing now = standing_of(slot);
        call.add(RpcStruct{{"entry", slot},
                           {"pid", static_cast<int>(proc::process(slot).pid)},
                           {"set", now.switches},
                           {"state", int{now.waits}},
                           {"in.pid", now.asked_by},
                           {"in.cmd", static_cast<int>(now.asked)}});
    }
}

void switch_processes(RpcCall& call, uint32_t which, bool on) {
    const auto slots = slots_asked_for(call);
    for (const int slot : slots) switch_process(slot, which, on);
    if (!slots.empty()) call.add(kDone);
}

void trace(RpcCall& call) {
    if (!call.more()) return call.fault(500, "Config trace command missing");
    const auto what = call.next_text();
    if (!what) return;
    if (*what != "on" && *what != "off") return call.fault(500, "Unknown trace command");
    switch_processes(call, kTraces, *what == "on");
}

void ask_process(RpcCall& call, Ask what) {
    const auto slots = slots_asked_for(call, true);
    if (slots.empty()) return;
    std::string text;
    if (what == Ask::evaluate || what == Ask::log) {
        if (!call.more()) return call.fault(500, "Missing pv parameter");
        const auto given = call.next_text();
        if (!given) return;
        if (given->size() >= kTextBytes) return call.fault(400, "that is too long");
        text = *given;
    }
    const auto answer = ask(slots.front(), what, text);
    if (!answer) return call.fault(500, "the process does not wait at a breakpoint, or does not answer");
    call.add(*answer);
}

void breakpoint(RpcCall& call) {
    if (!call.more()) return call.fault(500, "Config breakpoint command missing");
    const auto what = call.next_text();
    if (!what) return;
    if (*what == "on" || *what == "off") return switch_processes(call, kStops, *what == "on");
    if (*what == "release") {
        const auto slots = slots_asked_for(call, true);
        for (const int slot : slots) switch_process(slot, kStops, false);
        if (!slots.empty()) call.add(kDone);
        return;
    }
    if (*what == "keep" || *what == "move") return ask_process(call, Ask::go_on);
    if (*what == "next") return ask_process(call, Ask::next);
    if (*what == "show") return ask_process(call, Ask::show);
    if (*what == "eval") return ask_process(call, Ask::evaluate);
    if (*what == "log") return ask_process(call, Ask::log);
    call.fault(500, "Unknown inner command");
}

void get_level(RpcCall& call) {
    if (!call.more()) return call.fault(500, "invalid parameters");
    if (const auto module = call.next_text()) call.add(level_of(*module));
}
void change_level(RpcCall& call) {
    if (call.params() < 2) return call.fault(500, "invalid parameters");
    const auto module = call.next_text();
    const auto level = module ? call.next_int() : std::nullopt;
    if (!level) return;
    if (*level < kLowestLevel || *level > kHighestLevel)
        return call.fault(500, fmt::format("levels are {} to {}", kLowestLevel, kHighestLevel));
    if (const Status set = set_level(*module, static_cast<int>(*level)); !set)
        return call.fault(500, set.error().text());
    call.add(kDone);
}

void get_facility(RpcCall& call) {
    if (!call.more()) return call.fault(500, "invalid parameters");
    const auto module = call.next_text();
    if (!module) return;
    const std::string name = facility_of(*module);
    call.add(name.empty() ? "the server's" : name);
}
void change_facility(RpcCall& call) {
    if (call.params() < 2) return call.fault(500, "invalid parameters");
    const auto module = call.next_text();
    const auto facility = module ? call.next_text() : std::nullopt;
    if (!facility) return;
    if (const Status set = set_facility(*module, *facility); !set) return call.fault(500, set.error().text());
    call.add(kDone);
}

void reset_message_numbers(RpcCall& call) {
    if (settings.reset_msgid == 0) return call.fault(500, "reset_msgid is 0. Set it to 1 to enable.");
    restart_message_numbers();
    call.add(kDone);
}

constexpr Command kCommands[] = {
    {"dbg.ls", "[pid]", "Lists the processes: set has bit 1 where the script is traced, bit 2 where it stops.", list},
    {"dbg.trace", "on|off [pid]", "Turns the trace of the script on or off, for one process or for all.", trace},
    {"dbg.bp", "on|off [pid] | keep|release|move|next|show pid | eval|log pid text",
     "Stops processes at each statement of the script, lets one go on, or asks it for a variable.", breakpoint},
    {"dbg.get_mod_level", "module", "Log level of a module.", get_level},
    {"dbg.set_mod_level", "module level", "Sets the log level of a module; counts while mod_level_mode is 1.",
     change_level},
    {"dbg.get_mod_facility", "module", "Syslog facility of a module.", get_facility},
    {"dbg.set_mod_facility", "module facility",
     "Sets the syslog facility of a module; counts while mod_facility_mode is 1.", change_facility},
    {"dbg.reset_msgid", "", "Each process counts its messages from 1 again.", reset_message_numbers},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace kahu::debugger
