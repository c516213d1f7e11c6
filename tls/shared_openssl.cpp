#include "tls/shared_openssl.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "core/base/log.h"
#include "mem/contract.h"
#include "mem/heap.h"
#include "tls/algorithms.h"
#include "tls/channel.h"
#include "tls/lock_shim.h"
#include "tls/openssl_error.h"
#include "tls/openssl_part.h"
#include "tls/openssl_version.h"
#include "tls/peer_info.h"
#include "tls/private_key.h"
#include "tls/random.h"
#include "tls/static_audit.h"
#include "tls/ticket_keys.h"
#include "tls/warm_up.h"

namespace kahu::tls {

IntSetting tls_shared_memory{1};
TextSetting rand_engine{"cryptorand"};

namespace {

bool g_booted = false, g_shared = false;
pid_t g_supervisor = 0;
uint64_t g_incarnation = 0, g_failures = 0;
OpensslPart* g_part = nullptr;
OSSL_LIB_CTX* g_private_libctx = nullptr;  // private mode
OSSL_LIB_CTX* g_whole = nullptr;           // this process found it to have all algorithms
OSSL_LIB_CTX* g_lacking = nullptr;         // it has not; what is made with it ends in an error
std::string g_why_not_shared;

// --- OpenSSL's malloc: the segment once it is known that the shims work, libc's until then ---------
void* counted(void* block) {
    g_failures += block == nullptr;
    return block;
}
void* openssl_malloc(size_t bytes, const char*, int) {
    return g_shared ? counted(mem::allocate(bytes, mem::Tag::openssl)) : std::malloc(bytes);
}
void openssl_free(void* block, const char*, int) {
    mem::segment_contains(block) ? mem::deallocate(block, mem::Tag::openssl) : std::free(block);
}
void* openssl_realloc(void* block, size_t bytes, const char*, int) {
    const bool in_segment = block ? mem::segment_contains(block) : g_shared;
    return in_segment ? counted(mem::reallocate(block, bytes, mem::Tag::openssl)) : std::realloc(block, bytes);
}

// Empty: it can be shared.
std::string obstacle_to_sharing() {
    if (!is_shareable(OpenSSL_version_num()))
        return std::string(OpenSSL_version(OPENSSL_VERSION)) +
               " has locks that do not survive their holder's death (3.0 and 3.1 can be shared)";
    if (!kShimsCompiledIn) return "this build has a sanitizer, which wants the locks for itself";
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return "OpenSSL was used before the server could tell it where to keep its objects";
    if (!lock_shims_bound())
        return "libcrypto does not call the server's lock functions: is it linked statically or preloaded?";
    return {};
}

void before_fork() {
    OPENSSL_thread_stop();
    if (getpid() == g_supervisor) take_audit_snapshot();
}

// nullptr: out of memory.  With its provider, because starting one counts a static variable of libcrypto up.
OSSL_LIB_CTX* new_library_context() {
    OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
    if (library && OSSL_PROVIDER_load(library, "default")) return library;  // built in: nothing is opened
    OSSL_LIB_CTX_free(library);
    return nullptr;
}

// Each takes 7 us and 6 KB; its tables of algorithms are filled by the process that uses it: 1 ms, 260 KB.
Status make_library_contexts() {
    bool made = g_shared || (g_private_libctx = new_library_context()) != nullptr;
    if (g_shared) {
        for (auto& cell : openssl_part().libctx) made = made && (cell = new_library_context()) != nullptr;
        for (auto& cell : openssl_part().spare_libctx) made = made && (cell = new_library_context()) != nullptr;
    }
    if (made) return {};
    return Error{Errc::no_memory, "could not make OpenSSL's library contexts: " + take_openssl_error(),
                 "start with a larger -m"};
}

Status start_openssl() {
    if (Status prepared = prepare_openssl(rand_engine.get()); !prepared) return prepared;
    rotate_ticket_keys();
    if (Status warm = warm_up_openssl(); !warm) return warm;
    enter_lock_phase(LockPhase::ordinary);  // what follows is one process's own
    return make_library_contexts();
}

}  // namespace

OpensslPart& openssl_part() {
    REQUIRE(g_part != nullptr);
    return *g_part;
}

Status prepare_openssl(std::string_view random_engine) {
    constexpr uint64_t kCrypto = OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
                                 OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS |
                                 OPENSSL_INIT_NO_LOAD_CONFIG;
    constexpr uint64_t kSsl = OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_LOAD_CONFIG;
    if (OPENSSL_init_crypto(kCrypto, nullptr) != 1 || OPENSSL_init_ssl(kSsl, nullptr) != 1)
        return Error{Errc::unsupported, "OpenSSL could not be started: " + take_openssl_error(), ""};
    if (Status chosen = use_rand_engine(random_engine); !chosen) return chosen;
    if (!prepare_channels() || !prepare_private_keys() || !prepare_peer_info())
        return Error{Errc::no_memory, "OpenSSL gave no index for our data: " + take_openssl_error(), ""};
    return {};
}

mem::Part shared_openssl_part() {
    return {"tls.openssl", sizeof(OpensslPart), [](void* at, size_t) { g_part = ::new (at) OpensslPart{}; }};
}

Status boot_openssl(bool shared) {
    REQUIRE(!g_booted && g_part != nullptr && mem::current_slot() >= 0);
    if (shared) enter_lock_phase(LockPhase::global);
    g_why_not_shared = shared ? obstacle_to_sharing() : "";
    g_shared = shared && g_why_not_shared.empty();
    if (!g_why_not_shared.empty())
        LOG(warn, "tls.private_memory", kv("reason", g_why_not_shared),
            kv("effect", "TLS connections do not survive the death of their worker"));
    g_supervisor = getpid();
    Status started = start_openssl();
    enter_lock_phase(LockPhase::ordinary);
    if (!started) return started;
    OPENSSL_thread_stop();
    if (pthread_atfork(before_fork, nullptr, nullptr) != 0) return Error{Errc::no_memory, "pthread_atfork failed", ""};
    take_audit_snapshot();
    g_booted = true;
    return {};
}

bool openssl_booted() { return g_booted; }
bool openssl_is_shared() { return g_shared; }
const std::string& why_not_shared() { return g_why_not_shared; }

Status enter_openssl_process() {
    REQUIRE(g_booted);
    g_incarnation = openssl_part().incarnations.fetch_add(1, std::memory_order_relaxed) + 1;
    openssl_part().incarnation_of[mem::current_slot()].store(g_incarnation, std::memory_order_relaxed);
    g_lacking = nullptr;
    if (g_shared) mix_thread_identity(g_incarnation);
    if (const int inherited = thread_locals_in_segment(); inherited != 0)
        return Error{Errc::invalid, std::to_string(inherited) + " thread-locals of OpenSSL were inherited over a fork",
                     "a defect: OPENSSL_thread_stop() must run before each fork"};
    return {};
}

void leave_openssl_process() {
    OPENSSL_thread_stop();
    if (tls_audit == 0) return;
    const AuditResult audit = audit_statics();
    LOG(notice, "tls.audit", kv("changed", audit.changed), kv("pointers", audit.pointers), kv("words", audit.compared));
}

uint64_t slot_incarnation() { return g_incarnation; }

OSSL_LIB_CTX* slot_libctx() {
    if (!g_shared) {
        if (!g_private_libctx) g_private_libctx = new_library_context();
        return g_private_libctx;
    }
    std::atomic<OSSL_LIB_CTX*>& cell = openssl_part().libctx[mem::current_slot()];
    OSSL_LIB_CTX* library = cell.load(std::memory_order_acquire);
    if (library && library == g_whole) return library;
    if (!library) library = new_library_context();
    if (library && fill_algorithms(library)) {
        cell.store(library, std::memory_order_release);
        return g_whole = library;
    }
    cell.store(nullptr, std::memory_order_release);  // a new one is made when it is asked for again
    if (!g_lacking) {
        g_lacking = library;  // a predecessor's connections may use it: it stays
        openssl_part().retired_libctx.fetch_add(1, std::memory_order_relaxed);
    } else {
        OSSL_LIB_CTX_free(library);
    }
    return g_lacking;
}
bool slot_libctx_is_whole() { return !g_shared || (g_whole && g_whole == openssl_part().libctx[mem::current_slot()]); }
uint64_t openssl_allocation_failures() { return g_failures; }

void after_death(int slot, const mem::RecoveryReport& report) {
    if (report.writers_released == 0 || !g_shared) return;
    OpensslPart& part = openssl_part();
    OSSL_LIB_CTX* fresh = nullptr;
    for (auto& spare : part.spare_libctx)
        if ((fresh = spare.exchange(nullptr)) != nullptr) break;
    part.libctx[slot].store(fresh, std::memory_order_release);
    part.retired_libctx.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace kahu::tls
