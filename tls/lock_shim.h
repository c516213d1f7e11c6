// tls/lock_shim.h -- the executable's own pthread_rwlock_* and pthread_self, which libcrypto binds to.
//
// WHY    glibc's rwlock in the segment deadlocks everyone when its holder is killed.  Definitions in the executable win
//        over libc's for every shared object; locks outside the segment go on to libc.
//        pthread_self() is the same in all forked processes; OpenSSL takes it for "the thread that owns this RSA
//        blinding".  Callers inside libcrypto therefore get a number that is mixed with the process's incarnation.
// LIVES  The lock is mem::RobustRwLock in the 56 bytes of a pthread_rwlock_t.
// FAILS  Under the sanitizers they are not compiled in (tls/openssl_version.h): lock_shims_bound() is false.
#pragma once
#include <cstdint>

namespace kahu::tls {

// Found by asking the dynamic linker who serves pthread_rwlock_init, and by counting what libcrypto calls.
bool lock_shims_bound();
uint64_t lock_shim_calls();
// What becomes of locks in the segment, before the first fork.  global: those made now guard OpenSSL's own tables,
// which every process uses, so a writer's death is the end of the segment (mem/rwlock.h).  routine: those taken for
// writing now are not meant: OpenSSL takes them so for every handshake, without changing anything (static_audit.h).
enum class LockPhase : uint8_t { ordinary, global, routine };
void enter_lock_phase(LockPhase phase);
// From now on pthread_self() is mixed for callers in libcrypto.  0 turns it off.
void mix_thread_identity(uint64_t incarnation);

}  // namespace kahu::tls
