#include "core/proc/injection.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

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

void arm(const char* wanted) {
    char what[8] = "", signal[8] = "";
    long start = 0, step = 0;
    if (std::sscanf(wanted, "%7[a-z]:%ld:%ld:%7[A-Z]", what, &start, &step, signal) < 3) return;
    static long failures = 0;
    const long incarnation = process(mem::current_slot()).incarnation.load();
    const std::string_view point = what;
    if (point == "damage") die_with_damage(start == 0 ? mem::current_slot() : 0);
    if (point == "global") die_holding_a_global_lock();
    for (size_t i = 0; i < std::size(kPoints); ++i) {
        long nth = -1;
        if (point == kNames[i]) nth = start + step * (incarnation - 1);
        if (point == "count") nth = LONG_MAX;
        mem::kill_at(kPoints[i], nth, signal_named(signal));
    }
    g_failing.reset();
    if (point == "fail" || point == "full") g_failing.emplace(start + step * failures++, point == "full");
}

void report(const std::string& path) {
    const UniqueFd file(
        ::open((path + "." + std::to_string(::getpid())).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return;
    std::string line = std::to_string(::getpid());
    for (const Point point : kPoints) line += " " + std::to_string(mem::steps_taken(point));
    line += " " + std::to_string(g_failing ? g_failing->fired() : 0);
    line += " " + std::to_string(g_failing && !g_failing->fired() ? g_failing->seen() : 0) + "\n";
    (void)!::write(file.get(), line.data(), line.size());
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
