#include "core/proc/injection.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/proc/child.h"
#include "core/proc/process_table.h"
#include "mem/failure.h"
#include "mem/slot.h"

namespace kahu::proc {
namespace {

using mem::Point;
constexpr Point kPoints[] = {Point::lock, Point::alloc, Point::queue, Point::row};
constexpr std::string_view kNames[] = {"lock", "alloc", "queue", "row"};
static_assert(std::size(kPoints) == static_cast<size_t>(Point::count_));

void arm(const char* wanted) {
    char what[8] = "";
    long start = 0, step = 0;
    if (std::sscanf(wanted, "%7[a-z]:%ld:%ld", what, &start, &step) != 3) return;
    static long failures = 0;
    static std::optional<mem::FailAllocation> failing;
    const long incarnation = process(mem::current_slot()).incarnation.load();
    const std::string_view point = what;
    for (size_t i = 0; i < std::size(kPoints); ++i) {
        long nth = -1;
        if (point == kNames[i]) nth = start + step * (incarnation - 1);
        if (point == "count") nth = LONG_MAX;
        mem::kill_at(kPoints[i], nth);
    }
    failing.reset();
    if (point == "fail") failing.emplace(start + step * failures++);
}

void report(const std::string& path) {
    const UniqueFd file(
        ::open((path + "." + std::to_string(::getpid())).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return;
    std::string line = std::to_string(::getpid());
    for (const Point point : kPoints) line += " " + std::to_string(mem::steps_taken(point));
    line += "\n";
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
