// test/unit/tls/shared_openssl_test.cpp -- forked processes use OpenSSL's objects in the segment side by side.
#include "tls/shared_openssl.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <time.h>

#include "mem/failure.h"
#include "mem/heap_stats.h"
#include "mem/rwlock.h"
#include "mem/segment.h"
#include "test/unit/tls/environment.h"
#include "tls/lock_shim.h"
#include "tls/memory_handshake.h"
#include "tls/openssl_version.h"
#include "tls/private_key.h"
#include "tls/static_audit.h"

namespace kahu::tls {
namespace {

using testing::client_context;
using testing::ContextWish;
using testing::early_check;
using testing::in_children;
using testing::server_context;

// How many of `rounds` handshakes failed; each is followed by a resumed one.
int failed_handshakes(SSL_CTX* server, SSL_CTX* client, int rounds) {
    int failed = 0;
    for (int i = 0; i < rounds; ++i) {
        MemoryPair first(server, client);
        if (const Status done = first.connect(); !done) {
            fprintf(stderr, "%s\n", done.error().text().c_str());
            ++failed;
            continue;
        }
        const OwnedSession session = first.session();
        MemoryPair second(server, client, session.get());
        if (!second.connect()) ++failed;
        else if (!second.resumed()) ++failed;
    }
    return failed;
}

struct Case {
    const char* name;
    ContextWish wish;
};
const Case kCases[] = {
    {"tls13_ec", {TLS1_3_VERSION, KeyKind::ec_p256, true, false}},
    {"tls13_rsa", {TLS1_3_VERSION, KeyKind::rsa_2048, true, false}},
    {"tls12_ec", {TLS1_2_VERSION, KeyKind::ec_p256, true, false}},
    {"tls12_rsa", {TLS1_2_VERSION, KeyKind::rsa_2048, true, false}},
    {"tls13_stateful_verify", {TLS1_3_VERSION, KeyKind::ec_p256, false, true}},
    {"tls12_ids_verify", {TLS1_2_VERSION, KeyKind::rsa_2048, false, true}},
};

class ThreeProcesses : public ::testing::TestWithParam<Case> {};

TEST_P(ThreeProcesses, EachWithContextsOfItsOwn) {
    EXPECT_EQ(in_children(3,
                          [](int) {
                              const OwnedContext server = server_context(GetParam().wish),
                                                 client = client_context(GetParam().wish);
                              return failed_handshakes(server.get(), client.get(), 15);
                          }),
              0);
}

// What happens to connections inherited from a dead process: the context and its key are somebody else's.
TEST_P(ThreeProcesses, OnOneContextMadeBeforeTheFork) {
    const OwnedContext server = server_context(GetParam().wish), client = client_context(GetParam().wish);
    EXPECT_EQ(in_children(3, [&](int) { return failed_handshakes(server.get(), client.get(), 15); }), 0);
    EXPECT_EQ(failed_handshakes(server.get(), client.get(), 3), 0) << "afterwards, in the process that made it";
}
INSTANTIATE_TEST_SUITE_P(Tls, ThreeProcesses, ::testing::ValuesIn(kCases), [](const auto& i) { return i.param.name; });

// --- locks of all processes ----------------------------------------------------------------------
TEST(Locks, ThoseOfOpenSSLItselfAreGlobalUnlessTakenInRoutine) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "libc's locks";
    enter_lock_phase(LockPhase::global);
    CRYPTO_RWLOCK* const table = CRYPTO_THREAD_lock_new();
    CRYPTO_RWLOCK* const routine = CRYPTO_THREAD_lock_new();
    enter_lock_phase(LockPhase::routine);
    CRYPTO_THREAD_write_lock(routine);
    CRYPTO_THREAD_unlock(routine);
    CRYPTO_THREAD_read_lock(table);
    CRYPTO_THREAD_unlock(table);
    enter_lock_phase(LockPhase::ordinary);
    CRYPTO_RWLOCK* const ordinary = CRYPTO_THREAD_lock_new();
    CRYPTO_THREAD_write_lock(table);
    CRYPTO_THREAD_unlock(table);
    const auto global = [](CRYPTO_RWLOCK* lock) { return mem::RobustRwLock::at(lock).global(); };
    EXPECT_TRUE(global(table));
    EXPECT_FALSE(global(routine));
    EXPECT_FALSE(global(ordinary));
    for (CRYPTO_RWLOCK* lock : {table, routine, ordinary}) CRYPTO_THREAD_lock_free(lock);
}

// --- RSA keys ------------------------------------------------------------------------------------
bool signs_well(EVP_PKEY* signer, EVP_PKEY* verifier, int round) {
    const std::string text = "message " + std::to_string(round);
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    unsigned char signature[512];
    size_t bytes = sizeof signature;
    const Owned<EVP_MD_CTX, EVP_MD_CTX_free> sign(EVP_MD_CTX_new()), verify(EVP_MD_CTX_new());
    return EVP_DigestSignInit(sign.get(), nullptr, EVP_sha256(), nullptr, signer) == 1 &&
           EVP_DigestSign(sign.get(), signature, &bytes, data, text.size()) == 1 &&
           EVP_DigestVerifyInit(verify.get(), nullptr, EVP_sha256(), nullptr, verifier) == 1 &&
           EVP_DigestVerify(verify.get(), signature, bytes, data, text.size()) == 1;
}

TEST(PrivateKey, DuplicatesSignWellInThreeProcesses) {
    EVP_PKEY* const original = testing::identities().rsa.key.get();
    EXPECT_EQ(in_children(3,
                          [&](int) {
                              const OwnedKey own(duplicate_key(original)), verifier(duplicate_key(original));
                              int bad = 0;
                              for (int i = 0; i < 100; ++i) bad += !signs_well(own.get(), verifier.get(), i);
                              return bad;
                          }),
              0);
}

// --- processes -----------------------------------------------------------------------------------
TEST(Shims, LibcryptoUsesThem) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "sanitizers want the locks for themselves";
    const uint64_t before = lock_shim_calls();
    const OwnedContext context = server_context({});
    EXPECT_GT(lock_shim_calls(), before + 10);
    EXPECT_TRUE(mem::segment_contains(context.get()));
}

TEST(Shims, LocksOutsideTheSegmentStillLock) {
    pthread_rwlock_t lock;
    ASSERT_EQ(pthread_rwlock_init(&lock, nullptr), 0);
    EXPECT_EQ(pthread_rwlock_rdlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_tryrdlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_wrlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
    EXPECT_EQ(pthread_rwlock_destroy(&lock), 0);
}

TEST(ThreadLocals, NoneIsInheritedThoughTheParentHasSome) {
    failed_handshakes(server_context({}).get(), client_context({}).get(), 1);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    EXPECT_EQ(thread_locals_in_segment() > 0, kShimsCompiledIn) << "this test would prove nothing";
    EXPECT_EQ(in_children(2, [](int) { return thread_locals_in_segment() + (ERR_peek_error() != 0); }), 0);
    EXPECT_EQ(thread_locals_in_segment(), 0);
}

TEST(Audit, SeesAChangedWord) {
    take_audit_snapshot();
    EXPECT_EQ(audit_statics().changed, 0U);
    EXPECT_GT(audit_statics().compared, 500U);
}

// The environment ran it before OpenSSL was booted: that the boot succeeded in shared mode shows that it left no trace.
TEST(ThrowawayProcess, HandsBackTheOutcome) {
    ASSERT_FALSE(early_check());
    EXPECT_EQ(early_check().error().code, Errc::not_found);
    EXPECT_EQ(early_check().error().text(), "seen 1 (and a hint)");
}

TEST(Segment, HandshakesLeaveNothingBehind) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "private memory";
    const OwnedContext server = server_context({}), client = client_context({});
    failed_handshakes(server.get(), client.get(), 3);
    const auto use = [] { return mem::heap_stats().by_tag[static_cast<size_t>(mem::Tag::openssl)].blocks; };
    const auto before = use();
    failed_handshakes(server.get(), client.get(), 20);
    EXPECT_EQ(use(), before);
    EXPECT_TRUE(mem::walk_heap().valid) << mem::walk_heap().reason;
}

}  // namespace
}  // namespace kahu::tls
