#include "core/proc/injection.h"

#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/fd.h"
#include "core/proc/child.h"
#include "core/proc/process_table.h"
#include "mem/failure.h"
#include "mem/heap.h"
#include "mem/rwlock.h"
#include "mem/slot.h"

namespace kahu::proc {
namespace {

using mem::Point;
constexpr Point kPoints[] = {Point::lock, Point::alloc, Point::queue, Point::row};
constexpr std::string_view kNames[] = {"lock", "alloc", "queue", "row"};
static_assert(std::size(kPoints) == static_cast<size_t>(Point::count_));

[[noreturn]] void die(int signal) {
    ::kill(::getpid(), signal);
    for (;;) ::pause();
}
[[noreturn]] void die_with_damage(int slot) {
    (void)mem::allocate(64, mem::Tag::other);  // so that there is a span to damage
    mem::damage_heap_of(slot);
    die(SIGSEGV);
}
[[noreturn]] void die_holding_a_global_lock() {
    if (auto* const lock = mem::make<mem::RobustRwLock>(mem::Tag::other)) {
        lock->mark_global();
        lock->write_lock();
    }
    die(SIGKILL);
}

int signal_named(std::string_view name) {
    if (name == "SEGV") return SIGSEGV;
    return name == "ABRT" ? SIGABRT : SIGKILL;
}

std::optional<mem::FailAllocation> g_failing;

// --- the different places that steps are taken at ------------------------------------------------------------
struct Place {
    Point point;
    long step;
};
std::unordered_map<size_t, Place> g_places;  // by hash: where it was seen first

void note_place(Point point, long step) {
    constexpr int kOurs = 2, kCallers = 10;
    void* frames[kOurs + kCallers];
    const int count = ::backtrace(frames, std::size(frames));
    size_t hash = static_cast<size_t>(point);
    for (int i = kOurs; i < count; ++i) hash = hash * 0x9e3779b97f4a7c15 + reinterpret_cast<size_t>(frames[i]);
    g_places.try_emplace(hash, Place{point, step});
}
void watch_places(bool on) {
    g_places.clear();
    if (on) note_place(Point::lock, 0);  // loads the unwinder now
    g_places.clear();
    mem::watch_steps(on ? note_place : nullptr);
}
std::string places_text() {
    std::string text;
    for (const auto& [hash, place] : g_places)
        text += std::string(kNames[static_cast<size_t>(place.point)]) + " " + std::to_string(place.step) + " " +
                std::to_string(hash) + "\n";
    return text;
}

void arm(const char* wanted) {
    char what[8] = "", signal[8] = "";
    long start = 0, step = 0;
    if (std::sscanf(wanted, "%7[a-z]:%ld:%ld:%7[A-Z]", what, &start, &step, signal) < 3) return;
    static long failures = 0;
    const long incarnation = process(mem::current_slot()).incarnation.load();
    const std::string_view point = what;
    if (point == "damage") die_with_damage(start == 0 ? mem::current_slot() : 0);
    if (point == "global") die_holding_a_global_lock();
    watch_places(point == "places");
    for (size_t i = 0; i < std::size(kPoints); ++i) {
        long nth = -1;
        if (point == kNames[i]) nth = start + step * (incarnation - 1);
        if (point == "count" || point == "places") nth = LONG_MAX;
        mem::kill_at(kPoints[i], nth, signal_named(signal));
    }
    g_failing.reset();
    if (point == "fail" || point == "full") g_failing.emplace(start + step * failures++, point == "full");
}

void write_file(const std::string& path, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() >= 0) (void)!::write(file.get(), text.data(), text.size());
}
void report(const std::string& path) {
    const std::string own = path + "." + std::to_string(::getpid());
    mem::watch_steps(nullptr);
    if (!g_places.empty()) write_file(own + ".places", places_text());
    std::string line = std::to_string(::getpid());
    for (const Point point : kPoints) line += " " + std::to_string(mem::steps_taken(point));
    line += " " + std::to_string(g_failing ? g_failing->fired() : 0);
    line += " " + std::to_string(g_failing && !g_failing->fired() ? g_failing->seen() : 0) + "\n";
    write_file(own, line);
}

}  // namespace

void inject_failure() {
    child_flags.inject = 0;
    const char* const wanted = std::getenv("KAHU_INJECT");
    if (wanted == nullptr) return;
    if (*wanted != '@') return arm(wanted);
    const std::string path = wanted + 1;
    char text[64] = "";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() >= 0) (void)!::read(file.get(), text, sizeof text - 1);
    report(path);
    arm(text);
}

}  // namespace kahu::proc
