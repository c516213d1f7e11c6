#include "core/modules/htable/locks.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/base/log.h"
#include "core/base/log_limit.h"
#include "core/script/event_route.h"

namespace kahu::htable {
namespace {

struct Held {
    mem::RobustMutex* lock = nullptr;  // nullptr: free
    unsigned times = 0;
};
std::array<Held, kMostHeld> g_held;
bool g_used = false;

Held* held(const mem::RobustMutex* lock) {
    const auto at = std::find_if(g_held.begin(), g_held.end(), [&](const Held& one) { return one.lock == lock; });
    return at == g_held.end() ? nullptr : &*at;
}

// Whoever waits is a worker that others wait for: it looks again soon at first, then every millisecond.
bool wait_for(mem::RobustMutex& lock) {
    constexpr int kYields = 100;
    mem::Acquired how = mem::Acquired::clean;
    const clock::Millis end = clock::read() + kLongestWait;
    for (int tries = 0; !lock.try_lock(how); ++tries) {
        if (tries < kYields) {
            ::sched_yield();
        } else if (clock::read() >= end) {
            LOG_AT_MOST(5, error, "htable.lock_not_got", kv("waited_ms", kLongestWait));
            return false;
        } else {
            ::usleep(1000);
        }
    }
    if (how == mem::Acquired::after_death) lock.mark_repaired();
    return true;
}

}  // namespace

void use_script_locks() {
    g_used = true;
    script::set_script_end_handler(release_all);
}

bool take(mem::RobustMutex& lock) {
    if (Held* const mine = held(&lock)) {
        ++mine->times;
        return true;
    }
    Held* const room = held(nullptr);
    if (room == nullptr || !wait_for(lock)) return false;
    *room = {&lock, 1};
    return true;
}
bool release(mem::RobustMutex& lock) {
    Held* const mine = held(&lock);
    if (mine == nullptr) return false;
    if (--mine->times > 0) return true;
    lock.unlock();
    *mine = {};
    return true;
}
void release_all() {
    for (Held& one : g_held)
        if (one.lock != nullptr) {
            one.lock->unlock();
            one = {};
        }
}

Turn::Turn(mem::RobustMutex& lock) {
    if (g_used && held(&lock) == nullptr && wait_for(lock)) taken_ = &lock;
}
Turn::~Turn() {
    if (taken_ != nullptr) taken_->unlock();
}

}  // namespace kahu::htable
