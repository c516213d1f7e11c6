// tls/openssl_version.h -- what depends on the OpenSSL at hand and on how we were built.
//
// From 3.2 on libcrypto has RCU locks of its own (pthread mutex and condition, counts of users): a reader killed in one
// of them lets every later writer spin for ever, and no shim can release it.  Below 3.0 there are no library contexts.
#pragma once
#include <openssl/opensslv.h>

namespace kahu::tls {

inline constexpr unsigned long kFirstShareable = 0x30000000UL;  // 3.0.0
inline constexpr unsigned long kFirstTooNew = 0x30200000UL;     // 3.2.0
constexpr bool is_shareable(unsigned long version) { return version >= kFirstShareable && version < kFirstTooNew; }

// KAHU_SHIM names the functions of lock_shim.cpp.  The sanitizers wrap the pthread functions themselves and know
// nothing of locks without constructors.
#ifdef KAHU_SANITIZED
inline constexpr bool kShimsCompiledIn = false;
#define KAHU_SHIM(name) kahu_unused_##name
#else
inline constexpr bool kShimsCompiledIn = true;
#define KAHU_SHIM(name) name
#endif

}  // namespace kahu::tls
