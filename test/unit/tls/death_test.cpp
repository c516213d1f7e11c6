// test/unit/tls/death_test.cpp -- a process is killed after any instruction of what it does to the ring of ticket keys
// or to the cache of sessions.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <functional>

#include "mem/heap_stats.h"
#include "test/unit/mem/single_step.h"
#include "test/unit/tls/environment.h"
#include "tls/memory_handshake.h"
#include "tls/openssl_version.h"
#include "tls/session_cache.h"
#include "tls/shared_openssl.h"
#include "tls/ticket_keys.h"

namespace kahu::tls {
namespace {

using mem::test::die_everywhere;
using mem::test::kVictimSlot;
using testing::client_context;
using testing::ContextWish;
using testing::server_context;

void settle() { after_death(kVictimSlot, mem::recover_slot(kVictimSlot)); }

int resumes(const ContextWish& wish) {
    const OwnedContext server = server_context(wish), client = client_context(wish);
    MemoryPair first(server.get(), client.get());
    if (!first.connect()) return 1;
    const OwnedSession session = first.session();
    MemoryPair second(server.get(), client.get(), session.get());
    return !second.connect() || !second.resumed();
}

TEST(Death, OfWhoMakesATicketKey) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "nothing is shared in private mode";
    const mem::Part ring = ticket_keys_part();
    const auto empty_ring = [&] { ring.construct(mem::part(ring.name), ring.bytes); };
    int before = 0;
    die_everywhere(
        "rotate_ticket_keys",
        [&] {
            empty_ring();
            EXPECT_TRUE(rotate_ticket_keys());
            before = ticket_keys_in_force();
        },
        [] {}, [] { (void)rotate_ticket_keys(true); },
        [&](long) {
            settle();
            EXPECT_LE(ticket_keys_in_force(), before + 1);
            EXPECT_TRUE(rotate_ticket_keys(true));  // does not wait for the dead
            EXPECT_EQ(testing::in_children(1,
                                           [](int) {
                                               return resumes({TLS1_3_VERSION, KeyKind::ec_p256, true});
                                           }),
                      0);
        });
    empty_ring();
    EXPECT_TRUE(rotate_ticket_keys());
}

// A session that the server has, in the process that will die; and OpenSSL's hooks that are to be called.
struct Victim {
    OwnedContext server, client;
    std::unique_ptr<MemoryPair> pair;
};

TEST(Death, OfWhoStoresOrForgetsASession) {
    if (!kShimsCompiledIn) GTEST_SKIP() << "nothing is shared in private mode";
    const ContextWish wish{TLS1_2_VERSION, KeyKind::ec_p256, false};
    for (const bool storing : {true, false}) {
        Victim victim;
        die_everywhere(
            storing ? "session stored" : "session forgotten", [] { clear_session_cache(); },
            [&] {
                EXPECT_TRUE(enter_openssl_process());
                victim.server = server_context(wish);
                victim.client = client_context(wish);
                victim.pair = std::make_unique<MemoryPair>(victim.server.get(), victim.client.get());
                EXPECT_TRUE(victim.pair->connect());
            },
            [&] {
                SSL* const ssl = victim.pair->server();
                if (storing) SSL_CTX_sess_get_new_cb(victim.server.get())(ssl, SSL_get_session(ssl));
                else SSL_CTX_sess_get_remove_cb(victim.server.get())(victim.server.get(), SSL_get_session(ssl));
            },
            [&](long step) {
                settle();
                const int64_t kept = session_cache_use().sessions;
                EXPECT_TRUE(kept == 0 || kept == 1) << kept;
                EXPECT_EQ(testing::in_children(1, [&](int) { return resumes(wish); }), 0) << step;
                clear_session_cache();
                EXPECT_EQ(session_cache_use().sessions, 0);
                const mem::WalkResult walk = mem::walk_heap();
                EXPECT_TRUE(walk.valid) << walk.reason;
            });
    }
}

}  // namespace
}  // namespace kahu::tls
