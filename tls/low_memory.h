// tls/low_memory.h -- no new TLS connections while the segment is nearly full (low_mem_threshold1), and nothing on
// open ones if the administrator wants that (low_mem_threshold2).
//
// WHY    A handshake that fails for want of memory has cost most of what it would have cost to succeed, and takes what
//        open connections need to go on.  Refusing at accept() costs nothing; a worker asks again before a handshake
//        takes its memory.
// LIVES  The figure is at most 20 ms old, in segments below 64 MB fresh.
#pragma once
#include "core/base/address.h"

namespace kahu::tls {

// For net::set_admission() and for workers: nullptr, or the limit that was reached.
const char* why_no_memory(Transport transport);
// Below low_mem_threshold2: what open connections want to do now is refused, too, which ends them.
bool memory_for_none();

}  // namespace kahu::tls
