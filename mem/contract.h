// mem/contract.h -- the three assertion costs.  The only place besides core/base and
// tls/openssl_version.h with conditional compilation.
//
//   REQUIRE(c)              always on: a caller broke the contract; going on would corrupt shared state
//   INVARIANT(c)            debug and sanitizer builds
//   EXPENSIVE_INVARIANT(c)  DEBUG=1 builds: walks whole structures
//
// FAILS  Prints file, line and the broken condition to stderr, then abort()s: the supervisor
//        treats that as a crash of this process and replaces it.
#pragma once
namespace kahu {
[[noreturn]] void contract_broken(const char* kind, const char* condition, const char* file, int line) noexcept;
}
#define REQUIRE(c) (__builtin_expect(!!(c), 1) ? (void)0 : ::kahu::contract_broken("REQUIRE", #c, __FILE__, __LINE__))
#ifndef NDEBUG
#define INVARIANT(c) \
    (__builtin_expect(!!(c), 1) ? (void)0 : ::kahu::contract_broken("INVARIANT", #c, __FILE__, __LINE__))
#else
#define INVARIANT(c) ((void)0)
#endif
#ifdef KAHU_EXPENSIVE_INVARIANTS
#define EXPENSIVE_INVARIANT(c) INVARIANT(c)
#else
#define EXPENSIVE_INVARIANT(c) ((void)0)
#endif
