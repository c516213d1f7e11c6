#include "core/modules/debugger/stops.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <new>

#include "core/base/log.h"
#include "core/modules/debugger/settings.h"
#include "core/proc/process_table.h"
#include "core/script/format.h"
#include "core/script/scope.h"
#include "mem/slot.h"

namespace kahu::debugger {
namespace {

constexpr useconds_t kPollMicros = 5000;

struct Cell {
    std::atomic<uint32_t> switches{0};
    std::atomic<bool> waits{false};
    std::atomic<int> asked_by{0};
    std::atomic<int> asked{0};
    std::atomic<uint32_t> question{0}, answered{0};  // numbers: the last asked, the last answered
    char text[kTextBytes];
    char answer[kTextBytes];
};
Cell* g_cells = nullptr;

Cell* own_cell() { return g_cells == nullptr || mem::current_slot() < 0 ? nullptr : &g_cells[mem::current_slot()]; }

void put(char (&into)[kTextBytes], std::string_view text) {
    const size_t bytes = std::min(text.size(), kTextBytes - 1);
    std::memcpy(into, text.data(), bytes);
    into[bytes] = '\0';
}

// "file:line] a=63 n=assign" behind the opening bracket.
std::string place_of(const script::TracePoint& point) {
    return fmt::format("[{}:{}] a={} n={}", point.file, point.line, point.action, point.name);
}

std::string evaluated(script::Run& run, std::string_view text) {
    const script::Scope scope(script::traced_environment().loaded, script::traced_environment().available);
    const auto format = script::Format::compile(text, scope, "dbg.bp");
    if (!format) return format.error().text();
    const script::Value value = (*format)->value(run);
    if (value.is_null()) return fmt::format("{} : t=null", text);
    return value.is_text() ? fmt::format("{} : t=str v={}", text, value.text)
                           : fmt::format("{} : t=int v={}", text, value.number);
}

// Whether it stays at the statement.
bool answer(Cell& cell, script::Run& run, const script::TracePoint& point) {
    bool stays = true;
    switch (static_cast<Ask>(cell.asked.load())) {
    case Ask::go_on:
        put(cell.answer, "200 ok");
        stays = false;
        break;
    case Ask::next:
        put(cell.answer, "exec " + place_of(point));
        stays = false;
        break;
    case Ask::show: put(cell.answer, "at bkp " + place_of(point)); break;
    case Ask::evaluate: put(cell.answer, evaluated(run, cell.text)); break;
    case Ask::log: {
        const std::string line = "breakpoint eval: " + evaluated(run, cell.text);
        log::emit_text(static_cast<log::Level>(settings.log_level.get()), line);
        put(cell.answer, "200 ok");
        break;
    }
    case Ask::nothing: break;
    }
    cell.asked = static_cast<int>(Ask::nothing);
    return stays;
}

}  // namespace

bool switched_on(uint32_t which) {
    const Cell* const cell = own_cell();
    return cell != nullptr && (cell->switches.load(std::memory_order_relaxed) & which) != 0;
}

void stop_here(script::Run& run, const script::TracePoint& point) {
    Cell& cell = *own_cell();
    LOG(notice, "debugger.stopped", kv("pid", ::getpid()), kv("at", place_of(point)));
    const clock::Millis until = clock::read() + settings.step_usleep * settings.step_loops / 1000;
    cell.waits = true;
    proc::ProcessEntry& own = proc::process(mem::current_slot());
    // Switched off from outside, or asked to stop: it goes on.
    while (switched_on(kStops) && own.status != proc::ProcessStatus::stopping && clock::read() < until) {
        const uint32_t question = cell.question.load(std::memory_order_acquire);
        if (question != cell.answered.load(std::memory_order_relaxed)) {
            const bool stays = answer(cell, run, point);
            if (!stays) cell.waits = false;
            cell.answered.store(question, std::memory_order_release);
            if (!stays) return;
        }
        own.turned_ms = clock::read();  // it waits by wish: no work for the watchdog
        ::usleep(kPollMicros);
    }
    cell.waits = false;
}

Standing standing_of(int slot) {
    const Cell& cell = g_cells[slot];
    return {cell.switches, cell.waits, cell.asked_by, static_cast<Ask>(cell.asked.load())};
}

void switch_process(int slot, uint32_t which, bool on) {
    if (on) g_cells[slot].switches |= which;
    else g_cells[slot].switches &= ~which;
}

std::optional<std::string> ask(int slot, Ask what, std::string_view text) {
    Cell& cell = g_cells[slot];
    if (!cell.waits) return std::nullopt;
    put(cell.text, text);
    cell.asked_by = ::getpid();
    cell.asked = static_cast<int>(what);
    const uint32_t number = cell.question + 1;
    cell.question.store(number, std::memory_order_release);
    for (const clock::Millis until = clock::read() + kPatience; clock::read() < until; ::usleep(kPollMicros))
        if (cell.answered.load(std::memory_order_acquire) == number) return cell.answer;
    return std::nullopt;
}

std::span<const mem::Part> stop_parts() {
    static const mem::Part part{"debugger_stops", sizeof(Cell) * mem::kMaxSlots, [](void* at, size_t) {
                                    g_cells = ::new (at) Cell[mem::kMaxSlots];
                                    const uint32_t switches = (settings.cfgtrace != 0 ? kTraces : 0) |
                                                              (settings.breakpoint != 0 ? kStops : 0);
                                    for (int i = 0; i < mem::kMaxSlots; ++i) g_cells[i].switches = switches;
                                }};
    return {&part, 1};
}

void clear_own_stop() {
    if (Cell* const cell = own_cell()) {
        cell->waits = false;
        cell->asked = static_cast<int>(Ask::nothing);
        cell->answered.store(cell->question.load());
    }
}

}  // namespace kahu::debugger
