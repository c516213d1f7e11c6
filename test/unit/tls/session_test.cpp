// test/unit/tls/session_test.cpp -- resumption by ticket and by id over processes, and its bounds.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <cstring>

#include "mem/heap_stats.h"
#include "test/unit/tls/environment.h"
#include "tls/memory_handshake.h"
#include "tls/session_cache.h"
#include "tls/shared_openssl.h"
#include "tls/ticket_keys.h"

namespace kahu::tls {
namespace {

using testing::client_context;
using testing::ContextWish;
using testing::in_children;
using testing::server_context;

// A client's session, handed from process to process.
struct Carried {
    int bytes;
    unsigned char der[8000];
};
Carried& carried() { return *static_cast<Carried*>(testing::shared_page()); }

int connect_and_carry(const ContextWish& wish) {
    const OwnedContext server = server_context(wish), client = client_context(wish);
    MemoryPair pair(server.get(), client.get());
    if (!pair.connect()) return 1;
    unsigned char* end = carried().der;
    carried().bytes = i2d_SSL_SESSION(pair.session().get(), &end);
    return 0;
}

// 0: resumed.
int resume_carried(const ContextWish& wish) {
    const OwnedContext server = server_context(wish), client = client_context(wish);
    const unsigned char* from = carried().der;
    const OwnedSession session(d2i_SSL_SESSION(nullptr, &from, carried().bytes));
    MemoryPair pair(server.get(), client.get(), session.get());
    if (!pair.connect()) return 100;
    return pair.resumed() ? 0 : 1;
}

struct Case {
    const char* name;
    ContextWish wish;
};
const Case kCases[] = {
    {"tls13_ticket", {TLS1_3_VERSION, KeyKind::ec_p256, true, false}},
    {"tls12_ticket", {TLS1_2_VERSION, KeyKind::rsa_2048, true, false}},
    {"tls13_stateful", {TLS1_3_VERSION, KeyKind::ec_p256, false, false}},
    {"tls12_id", {TLS1_2_VERSION, KeyKind::ec_p256, false, false}},
    {"tls12_id_client_certificate", {TLS1_2_VERSION, KeyKind::ec_p256, false, true}},
    {"tls13_ticket_client_certificate", {TLS1_3_VERSION, KeyKind::rsa_2048, true, true}},
};
class Resumption : public ::testing::TestWithParam<Case> {};

TEST_P(Resumption, InEveryOtherProcess) {
    const ContextWish& wish = GetParam().wish;
    ASSERT_EQ(in_children(1, [&](int) { return connect_and_carry(wish); }), 0);
    EXPECT_EQ(in_children(3,
                          [&](int) {
                              int missed = 0;
                              for (int i = 0; i < 10; ++i) missed += resume_carried(wish);
                              return missed;
                          }),
              0);
}
TEST_P(Resumption, AfterAReloadWithAnotherCertificate) {
    ContextWish wish = GetParam().wish;
    ASSERT_EQ(in_children(1, [&](int) { return connect_and_carry(wish); }), 0);
    wish.renewed = true;
    EXPECT_EQ(in_children(2, [&](int) { return resume_carried(wish); }), 0);
}
TEST_P(Resumption, NotUnderAnotherPolicy) {
    ContextWish wish = GetParam().wish;
    ASSERT_EQ(in_children(1, [&](int) { return connect_and_carry(wish); }), 0);
    wish.policy = "stricter";
    EXPECT_EQ(in_children(2, [&](int) { return resume_carried(wish); }), 2) << "a full handshake, not a failed one";
}
INSTANTIATE_TEST_SUITE_P(Tls, Resumption, ::testing::ValuesIn(kCases), [](const auto& i) { return i.param.name; });

TEST(TicketKeys, OldOnesStillOpenTicketsAfterARotation) {
    const ContextWish wish{TLS1_3_VERSION, KeyKind::ec_p256, true, false};
    ASSERT_EQ(in_children(1, [&](int) { return connect_and_carry(wish); }), 0);
    const int before = ticket_keys_in_force();
    ASSERT_GE(before, 1);
    EXPECT_FALSE(rotate_ticket_keys()) << "not due yet";
    EXPECT_TRUE(rotate_ticket_keys(true));
    EXPECT_EQ(ticket_keys_in_force(), before + 1);
    EXPECT_EQ(in_children(2, [&](int) { return resume_carried(wish); }), 0);
}

TEST(TicketKeys, ForcedRotationNeverDropsAKeyInForce) {
    const ContextWish wish{TLS1_2_VERSION, KeyKind::ec_p256, true, false};
    ASSERT_EQ(in_children(1, [&](int) { return connect_and_carry(wish); }), 0);
    int made = 0;
    for (int i = 0; i < 50; ++i) made += rotate_ticket_keys(true);
    EXPECT_LT(made, 16);
    EXPECT_EQ(in_children(1, [&](int) { return resume_carried(wish); }), 0);
}

// A ticket is hostile input: no change of one byte may be accepted, none may break the handshake.
TEST(TicketKeys, AForgedTicketIsAFullHandshake) {
    const ContextWish wish{TLS1_2_VERSION, KeyKind::ec_p256, true, false};
    const OwnedContext server = server_context(wish), client = client_context(wish);
    MemoryPair first(server.get(), client.get());
    ASSERT_TRUE(first.connect());
    const OwnedSession session = first.session();
    unsigned char der[8000], *end = der;
    const int bytes = i2d_SSL_SESSION(session.get(), &end);
    const unsigned char* ticket = nullptr;
    size_t ticket_bytes = 0;
    SSL_SESSION_get0_ticket(session.get(), &ticket, &ticket_bytes);
    auto* in_der = static_cast<unsigned char*>(memmem(der, static_cast<size_t>(bytes), ticket, ticket_bytes));
    ASSERT_NE(in_der, nullptr);
    for (size_t at : {size_t{0}, size_t{20}, size_t{40}, ticket_bytes - 1}) {
        in_der[at] ^= 1;
        const unsigned char* from = der;
        const OwnedSession forged(d2i_SSL_SESSION(nullptr, &from, bytes));
        MemoryPair pair(server.get(), client.get(), forged.get());
        EXPECT_TRUE(pair.connect()) << at;
        EXPECT_FALSE(pair.resumed()) << at;
        in_der[at] ^= 1;
    }
}

TEST(SessionCache, IsBoundedAndGivesEverythingBack) {
    const ContextWish wish{TLS1_2_VERSION, KeyKind::ec_p256, false, false};
    const OwnedContext server = server_context(wish), client = client_context(wish);
    clear_session_cache();
    EXPECT_EQ(session_cache_use().sessions, 0);
    for (int i = 0; i < 20; ++i) {
        MemoryPair pair(server.get(), client.get());
        ASSERT_TRUE(pair.connect());
    }
    const SessionCacheUse use = session_cache_use();
    EXPECT_EQ(use.sessions, 20);
    EXPECT_GT(use.bytes, 20 * 100);
    EXPECT_LE(use.sessions, use.capacity);
    const auto blocks = [] { return mem::heap_stats().by_tag[static_cast<size_t>(mem::Tag::openssl)].blocks; };
    const auto full = blocks();
    clear_session_cache();
    EXPECT_EQ(full - blocks(), 20);
}

TEST(SessionCache, AFatalAlertForgetsTheSession) {
    const ContextWish wish{TLS1_2_VERSION, KeyKind::ec_p256, false, false};
    const OwnedContext server = server_context(wish), client = client_context(wish);
    clear_session_cache();
    MemoryPair pair(server.get(), client.get());
    ASSERT_TRUE(pair.connect());
    ASSERT_EQ(session_cache_use().sessions, 1);
    char got[16];
    BIO_write(SSL_get_rbio(pair.server()), "\x17\x03\x03\x00\x20 this is not a valid record, is it", 37);
    EXPECT_LT(SSL_read(pair.server(), got, sizeof got), 0);
    EXPECT_EQ(session_cache_use().sessions, 0);
    ERR_clear_error();
}

}  // namespace
}  // namespace kahu::tls
