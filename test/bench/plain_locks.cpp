// plain_locks.cpp -- `make LOCKS=plain`: mem/rwlock.h on libc's own process-shared locks, in place of mem/rwlock.cpp.
//
// WHY    What does it cost that a lock knows its holders and that a journal names the locks a process holds?  The same
//        server without either, measured beside it (test/bench/locks), is the answer.  It is never installed: a worker
//        that dies with a lock held stops everybody for ever.
// LIVES  A pthread_rwlock_t in the same 56 bytes; all zero is unlocked but private, so `shared` is set at each use.
// FAILS  REQUIREs what libc refuses: a write lock taken twice.
#include <dlfcn.h>
#include <pthread.h>

#include "mem/contract.h"
#include "mem/rwlock.h"

namespace kahu::mem {
namespace {

static_assert(sizeof(RobustRwLock) == sizeof(pthread_rwlock_t));
using Operation = int(pthread_rwlock_t*);

// libc's own: by name this would find the shims of tls/lock_shim.cpp, which lead here.
Operation* from_libc(const char* name) {
    auto* function = reinterpret_cast<Operation*>(dlsym(RTLD_NEXT, name));
    REQUIRE(function != nullptr);
    return function;
}

pthread_rwlock_t* plain(RobustRwLock* lock) {
    auto* raw = reinterpret_cast<pthread_rwlock_t*>(lock);
    raw->__data.__shared = 1;
    return raw;
}

}  // namespace

void RobustRwLock::read_lock() noexcept {
    static Operation* const lock = from_libc("pthread_rwlock_rdlock");
    REQUIRE(lock(plain(this)) == 0);
}
void RobustRwLock::write_lock() noexcept {
    static Operation* const lock = from_libc("pthread_rwlock_wrlock");
    REQUIRE(lock(plain(this)) == 0);
}
bool RobustRwLock::try_read_lock() noexcept {
    static Operation* const lock = from_libc("pthread_rwlock_tryrdlock");
    return lock(plain(this)) == 0;
}
bool RobustRwLock::try_write_lock() noexcept {
    static Operation* const lock = from_libc("pthread_rwlock_trywrlock");
    return lock(plain(this)) == 0;
}
void RobustRwLock::unlock() noexcept {
    static Operation* const lock = from_libc("pthread_rwlock_unlock");
    REQUIRE(lock(plain(this)) == 0);
}

void RobustRwLock::mark_global(bool) noexcept {}
// Nobody knows who holds it.
bool RobustRwLock::held_by(int) const noexcept { return false; }
RobustRwLock::Held RobustRwLock::release_dead(int) noexcept { return Held::nothing; }

}  // namespace kahu::mem
