#include "tls/lock_shim.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "mem/rwlock.h"
#include "mem/segment.h"
#include "tls/loaded_library.h"
#include "tls/openssl_version.h"

namespace kahu::tls {
namespace {

constinit uint64_t g_calls = 0;  // of locks in the segment and of every pthread_rwlock_init
constinit uint64_t g_identity = 0;
constinit LockPhase g_phase = LockPhase::ordinary;
constinit AddressRange g_libcrypto;

// libc's own function, looked up at first use: shims are called before main(), by constructors of other libraries.
template <class F>
F* libc(std::atomic<void*>& known, const char* name) {
    void* function = known.load(std::memory_order_relaxed);
    if (!function) {
        function = dlsym(RTLD_NEXT, name);
        known.store(function, std::memory_order_relaxed);
    }
    return reinterpret_cast<F*>(function);
}
#define KAHU_LIBC(name)                                     \
    ([]() -> decltype(&::name) {                            \
        static constinit std::atomic<void*> known{nullptr}; \
        return libc<decltype(::name)>(known, #name);        \
    }())

bool ours(const pthread_rwlock_t* lock) { return mem::segment_contains(lock); }
mem::RobustRwLock& robust(pthread_rwlock_t* lock) {
    ++g_calls;
    return mem::RobustRwLock::at(lock);
}

}  // namespace

uint64_t lock_shim_calls() { return g_calls; }

bool lock_shims_bound() {
    if (!kShimsCompiledIn) return false;
    const uint64_t before = g_calls;
    CRYPTO_THREAD_lock_free(CRYPTO_THREAD_lock_new());
    return g_calls > before;
}

void enter_lock_phase(LockPhase phase) { g_phase = phase; }

void mix_thread_identity(uint64_t incarnation) {
    g_libcrypto = code_of("libcrypto.so");
    g_identity = incarnation << 47;  // above every user-space address
}

}  // namespace kahu::tls

// NOLINTBEGIN: the names are libc's.
using namespace kahu::tls;
#define KAHU_EXPORT extern "C" __attribute__((used, visibility("default")))

KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_init)(pthread_rwlock_t* lock,
                                               const pthread_rwlockattr_t* attributes) noexcept {
    ++g_calls;
    if (!ours(lock)) return KAHU_LIBC(pthread_rwlock_init)(lock, attributes);
    std::memset(static_cast<void*>(lock), 0, sizeof *lock);
    if (g_phase == LockPhase::global) kahu::mem::RobustRwLock::at(lock).mark_global();
    return 0;
}
KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_destroy)(pthread_rwlock_t* lock) noexcept {
    return ours(lock) ? 0 : KAHU_LIBC(pthread_rwlock_destroy)(lock);
}
KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_rdlock)(pthread_rwlock_t* lock) noexcept {
    if (!ours(lock)) return KAHU_LIBC(pthread_rwlock_rdlock)(lock);
    robust(lock).read_lock();
    return 0;
}
KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_wrlock)(pthread_rwlock_t* lock) noexcept {
    if (!ours(lock)) return KAHU_LIBC(pthread_rwlock_wrlock)(lock);
    robust(lock).write_lock();
    if (g_phase == LockPhase::routine) [[unlikely]]
        robust(lock).mark_global(false);
    return 0;
}
KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_tryrdlock)(pthread_rwlock_t* lock) noexcept {
    if (!ours(lock)) return KAHU_LIBC(pthread_rwlock_tryrdlock)(lock);
    return robust(lock).try_read_lock() ? 0 : EBUSY;
}
KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_trywrlock)(pthread_rwlock_t* lock) noexcept {
    if (!ours(lock)) return KAHU_LIBC(pthread_rwlock_trywrlock)(lock);
    return robust(lock).try_write_lock() ? 0 : EBUSY;
}
KAHU_EXPORT int KAHU_SHIM(pthread_rwlock_unlock)(pthread_rwlock_t* lock) noexcept {
    if (!ours(lock)) return KAHU_LIBC(pthread_rwlock_unlock)(lock);
    robust(lock).unlock();
    return 0;
}
KAHU_EXPORT pthread_t KAHU_SHIM(pthread_self)() noexcept {
    const pthread_t self = KAHU_LIBC(pthread_self)();
    const auto caller = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
    return g_libcrypto.contains(caller) ? self ^ g_identity : self;
}
// NOLINTEND
