// core/base/clock.h -- time.  now_ms() is read once per loop turn by the event loop (tick()), so
// that code on the message path asks for it without a system call.
#pragma once
#include <cstdint>
#include <string>

namespace kahu::clock {
using Millis = int64_t;  // monotonic, since boot of the machine: comparable between processes

Millis read();    // asks the kernel
Millis coarse();  // the same, some milliseconds behind, for a third of the price
Millis now_ms();  // as of the last tick(); read() before the first one
void tick();
int64_t unix_seconds();                        // wall clock
std::string local_text(int64_t unix_seconds);  // "2026-11-20 22:37:30"
}  // namespace kahu::clock
