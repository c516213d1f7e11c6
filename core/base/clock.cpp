#include "core/base/clock.h"

#include <ctime>

namespace kahu::clock {
namespace {
Millis g_now = 0;

Millis ask(clockid_t which) {
    timespec t{};
    clock_gettime(which, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1'000'000;
}
}  // namespace
Millis read() { return ask(CLOCK_MONOTONIC); }
Millis coarse() { return ask(CLOCK_MONOTONIC_COARSE); }
Millis now_ms() { return g_now != 0 ? g_now : read(); }
void tick() { g_now = read(); }
int64_t unix_seconds() { return ::time(nullptr); }
std::string local_text(int64_t unix_seconds) {
    const time_t t = unix_seconds;
    tm parts{};
    localtime_r(&t, &parts);
    char out[32];
    return {out, strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &parts)};
}
}  // namespace kahu::clock
