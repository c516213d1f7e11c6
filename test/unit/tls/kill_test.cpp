// test/unit/tls/kill_test.cpp -- a process is killed at locks and allocations of a handshake; the others go on.
#include <gtest/gtest.h>

#include "mem/failure.h"
#include "mem/heap_stats.h"
#include "test/unit/tls/environment.h"
#include "tls/memory_handshake.h"
#include "tls/openssl_version.h"
#include "tls/session_cache.h"
#include "tls/shared_openssl.h"

namespace kahu::tls {
namespace {

using testing::client_context;
using testing::ContextWish;
using testing::in_children;
using testing::killed_in_child;
using testing::server_context;

int failed(SSL_CTX* server, SSL_CTX* client) {
    MemoryPair first(server, client);
    const Status done = first.connect();
    if (!done) {
        fprintf(stderr, "%s\n", done.error().text().c_str());
        return 1;
    }
    const OwnedSession session = first.session();
    MemoryPair second(server, client, session.get());
    return !second.connect() || !second.resumed();
}

struct Case {
    const char* name;
    mem::Point point;
    bool while_building;  // also the context, not only the handshake
    int every;            // n-th point
    ContextWish wish;
};
const Case kCases[] = {
    {"lock_tls13_ec", mem::Point::lock, false, 3001, {TLS1_3_VERSION, KeyKind::ec_p256, true, false}},
    {"lock_tls12_rsa_ids", mem::Point::lock, false, 3911, {TLS1_2_VERSION, KeyKind::rsa_2048, false, false}},
    {"alloc_tls13_rsa", mem::Point::alloc, false, 2003, {TLS1_3_VERSION, KeyKind::rsa_2048, true, false}},
    {"alloc_building", mem::Point::alloc, true, 9001, {TLS1_3_VERSION, KeyKind::rsa_2048, true, false}},
    {"lock_building", mem::Point::lock, true, 9001, {TLS1_2_VERSION, KeyKind::rsa_2048, true, true}},
};
class KilledAt : public ::testing::TestWithParam<Case> {};

TEST_P(KilledAt, OthersAndTheSuccessorGoOn) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "nothing is shared in private mode";
    const Case& c = GetParam();
    // Contexts of a process that is dead now: those of connections that were handed over.
    const OwnedContext server = server_context(c.wish), client = client_context(c.wish);
    int killed = 0;
    for (long nth = 0;; nth += c.every) {
        const bool died = killed_in_child(1, [&] {
            if (c.while_building) mem::kill_at(c.point, nth);
            const OwnedContext own = server_context(c.wish), own_client = client_context(c.wish);
            if (!c.while_building) mem::kill_at(c.point, nth);
            failed(own.get(), own_client.get());
            failed(server.get(), client.get());
            mem::kill_at(c.point, -1);
        });
        ASSERT_EQ(in_children(2,
                              [&](int) {
                                  const OwnedContext own = server_context(c.wish), own_client = client_context(c.wish);
                                  return failed(own.get(), own_client.get()) + failed(server.get(), client.get());
                              }),
                  0)
            << "after a death at point " << nth;
        if (!died) break;
        ++killed;
    }
    EXPECT_GT(killed, 3);
    if (::testing::GTEST_FLAG(brief) == false) printf("%d killed\n", killed);
    const mem::WalkResult walk = mem::walk_heap();
    EXPECT_TRUE(walk.valid) << walk.reason;
}
INSTANTIATE_TEST_SUITE_P(Tls, KilledAt, ::testing::ValuesIn(kCases), [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace kahu::tls
