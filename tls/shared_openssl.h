// tls/shared_openssl.h -- starts OpenSSL so that its objects can live in the segment and outlive their process.
//
// WHY    An SSL that lives in the segment goes on with the next byte when its worker has died.  OpenSSL 3.0 was not
//        made for that; README.md tells what it takes, and this file does it in the right order.
// LIVES  OpenSSL's memory comes from mem/heap.h (Tag::openssl) in shared mode, from malloc in private mode.  The code
//        that uses OpenSSL is the same in both.
// LOCKS  OpenSSL's own, which are robust ones when they lie in the segment (lock_shim.cpp).
// FAILS  What makes sharing impossible (version, sanitizer, no shims) is one warning and private mode; the server keeps
//        every feature except the survival of TLS connections over a worker's death.
//
// No OpenSSL call may be made in the supervisor before boot_openssl(): a single allocation would stay private.  What
// has to look at certificates earlier (`-c`, Hooks::check) does so in in_throwaway_process().
#pragma once
#include <openssl/types.h>

#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/module/setting.h"
#include "mem/recover.h"
#include "mem/segment.h"

namespace kahu::tls {

extern IntSetting tls_shared_memory;  // boolean, default 1
extern TextSetting rand_engine;       // cryptorand (default), kxlibssl; krand and fastrand mean cryptorand

// Segment part "tls.openssl": what each slot keeps.  REQUIREd by boot_openssl(), in private mode too.
mem::Part shared_openssl_part();

// Hooks::start of the tls module, first thing: memory functions, random, ex_data indices, BIO method, warm-up; leaves
// this process without thread-locals of OpenSSL, and from then on each fork() does so by itself. REQUIRES: the segment
// exists, a slot is attached, one thread, first call.
Status boot_openssl(bool shared);

bool openssl_booted();
bool openssl_is_shared();             // false: private mode
const std::string& why_not_shared();  // "" if shared, or if private mode was asked for

// Hooks::process_start, after attach_slot(): a new incarnation of the slot.  FAILS if a thread-local of OpenSSL points
// into the segment (the process must not go on: it would share it with its siblings).
Status enter_openssl_process();
// Hooks::process_stop, last thing: OPENSSL_thread_stop(), and the audit if `tls_audit` is set.
void leave_openssl_process();

// Counts up each time a process enters this slot; never 0 after enter_openssl_process().
uint64_t slot_incarnation();

// The library context of this slot: made by boot_openssl(), inherited by the successor, so that processes do not meet
// on the locks of one method store.  For SSL_CTX_new_ex(), PEM_read_*_ex(), EVP_*_fetch().  nullptr: out of memory.
OSSL_LIB_CTX* slot_libctx();
// False: memory ran out when its algorithms were made, and what was made with it may lack some (algorithms.h).  The
// next call of slot_libctx() tries again with another one.
bool slot_libctx_is_whole();
// Of this process, ever.  OpenSSL goes on without what it could not allocate where it can: no cipher suite, no error.
uint64_t openssl_allocation_failures();

// The supervisor, after recover_slot() and before the successor's fork; makes no OpenSSL call.  A library context whose
// process died with a write lock held is not used again (about 260 KB are lost); the successor gets a spare one.
void after_death(int slot, const mem::RecoveryReport& report);

// Runs `task` in a child process and returns its outcome: OpenSSL calls in it leave no trace here.
// FAILS  with the task's error, or io if the child could not be made or died.
Status in_throwaway_process(const std::function<Status()>& task);

}  // namespace kahu::tls
