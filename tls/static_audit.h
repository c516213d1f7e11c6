// tls/static_audit.h -- proves that no process changed OpenSSL's static variables after the fork.
//
// WHY    A static variable of libcrypto that is filled in by one process and points into the segment is how sharing
//        breaks.  After a full warm-up none changes; this counts them, in tests and when a process ends.
// LIVES  The snapshot is private memory of the process that took it and of its children.
// LOCKS  None.
#pragma once
#include <cstddef>

#include "core/module/setting.h"

namespace kahu::tls {

extern IntSetting tls_audit;  // boolean, default 0: each process logs tls.audit when it ends

struct AuditResult {
    size_t compared = 0;  // words; 0: no snapshot, or the libraries are linked statically
    size_t changed = 0;
    size_t pointers = 0;  // of the changed ones, how many point into the segment
};
void take_audit_snapshot();  // by boot_openssl(), as its last step
AuditResult audit_statics();

// Of the first 32 thread-specific values of pthread, how many point into the segment: must be 0 in a fresh child.
int thread_locals_in_segment();

}  // namespace kahu::tls
